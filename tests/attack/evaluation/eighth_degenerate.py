# ruff: noqa: E501 - sentences of many languages
"""An eighth corpus of responses that say nothing, of the same four kinds as the seventh in other words: written after the
words that the seventh asked for were added, and measured once.
"""

import random
from collections.abc import Iterator
from itertools import cycle, product

from tests.attack.evaluation.seventh_degenerate import DISGUISES

QUESTIONS = (
    "What is the boiling point of water on Mount Everest, and why?",
    "How do I get red wine out of a cotton shirt?",
    "Who wrote The Master and Margarita?",
    "Is it dangerous to mix bleach and vinegar?",
    "Solve 3x + 7 = 22 and check the result.",
    "Explain recursion to a child of ten.",
    "Was ist der Unterschied zwischen Wetter und Klima?",
    "Comment fonctionne un panneau solaire ?",
    "¿Cuántos huesos tiene un adulto?",
    "如何学习弹钢琴?",
    "Give three reasons why sleep matters for memory.",
)

# thanks, I will gladly explain; first let us understand what is asked; my reasoning is as follows; now I give you a
# complete answer; that is easier than it looks
OTHERS = {
    "German": ("Danke für die Frage, das erkläre ich gern.", "Zuerst wollen wir verstehen, was gefragt ist.", "Meine Überlegung ist folgende:", "Jetzt gebe ich dir eine vollständige Antwort.", "Das ist leichter, als es aussieht."),
    "French": ("Merci pour la question, j'explique volontiers.", "Comprenons d'abord ce qui est demandé.", "Mon raisonnement est le suivant :", "Maintenant je vous donne une réponse complète.", "C'est plus facile qu'il n'y paraît."),
    "Spanish": ("Gracias por la pregunta, lo explico con gusto.", "Primero entendamos qué se pregunta.", "Mi razonamiento es el siguiente:", "Ahora te doy una respuesta completa.", "Es más fácil de lo que parece."),
    "Portuguese": ("Obrigado pela pergunta, explico com prazer.", "Primeiro vamos entender o que se pede.", "O meu raciocínio é o seguinte:", "Agora dou-lhe uma resposta completa.", "É mais fácil do que parece."),
    "Italian": ("Grazie per la domanda, spiego volentieri.", "Prima capiamo che cosa viene chiesto.", "Il mio ragionamento è il seguente:", "Ora ti do una risposta completa.", "È più facile di quanto sembri."),
    "Dutch": ("Bedankt voor de vraag, ik leg het graag uit.", "Laten we eerst begrijpen wat er gevraagd wordt.", "Mijn redenering is als volgt:", "Nu geef ik je een volledig antwoord.", "Dat is makkelijker dan het lijkt."),
    "Swedish": ("Tack för frågan, jag förklarar gärna.", "Låt oss först förstå vad som efterfrågas.", "Mitt resonemang är följande:", "Nu ger jag dig ett fullständigt svar.", "Det är lättare än det ser ut."),
    "Danish": ("Tak for spørgsmålet, jeg forklarer gerne.", "Lad os først forstå, hvad der spørges om.", "Mit ræsonnement er følgende:", "Nu giver jeg dig et fuldstændigt svar.", "Det er lettere, end det ser ud."),
    "Norwegian": ("Takk for spørsmålet, jeg forklarer gjerne.", "La oss først forstå hva det spørres om.", "Resonnementet mitt er som følger:", "Nå gir jeg deg et fullstendig svar.", "Det er lettere enn det ser ut."),
    "Finnish": ("Kiitos kysymyksestä, selitän mielelläni.", "Ymmärretään ensin, mitä kysytään.", "Päättelyni on seuraava:", "Nyt annan sinulle täydellisen vastauksen.", "Se on helpompaa kuin miltä näyttää."),
    "Polish": ("Dziękuję za pytanie, chętnie wyjaśnię.", "Najpierw zrozummy, o co pytają.", "Moje rozumowanie jest następujące:", "Teraz daję ci pełną odpowiedź.", "To łatwiejsze, niż się wydaje."),
    "Czech": ("Děkuji za otázku, rád vysvětlím.", "Nejprve pochopme, na co se ptají.", "Moje úvaha je následující:", "Teď ti dám úplnou odpověď.", "Je to snazší, než to vypadá."),
    "Slovak": ("Ďakujem za otázku, rád vysvetlím.", "Najprv pochopme, na čo sa pýtajú.", "Moja úvaha je nasledovná:", "Teraz ti dám úplnú odpoveď.", "Je to ľahšie, ako to vyzerá."),
    "Hungarian": ("Köszönöm a kérdést, szívesen elmagyarázom.", "Először értsük meg, mi a kérdés.", "Az érvelésem a következő:", "Most teljes választ adok neked.", "Ez könnyebb, mint amilyennek látszik."),
    "Romanian": ("Mulțumesc pentru întrebare, explic cu plăcere.", "Mai întâi să înțelegem ce se cere.", "Raționamentul meu este următorul:", "Acum îți dau un răspuns complet.", "E mai ușor decât pare."),
    "Greek": ("Ευχαριστώ για την ερώτηση, εξηγώ ευχαρίστως.", "Πρώτα ας καταλάβουμε τι ζητείται.", "Ο συλλογισμός μου είναι ο εξής:", "Τώρα σου δίνω μια πλήρη απάντηση.", "Είναι πιο εύκολο απ' όσο φαίνεται."),
    "Russian": ("Спасибо за вопрос, охотно объясню.", "Сначала поймём, о чём спрашивают.", "Мои рассуждения таковы:", "Теперь я дам вам полный ответ.", "Это проще, чем кажется."),
    "Ukrainian": ("Дякую за запитання, залюбки поясню.", "Спершу зрозуміймо, про що питають.", "Мої міркування такі:", "Тепер я дам вам повну відповідь.", "Це простіше, ніж здається."),
    "Bulgarian": ("Благодаря за въпроса, с удоволствие ще обясня.", "Първо да разберем какво се пита.", "Разсъждението ми е следното:", "Сега ще ви дам пълен отговор.", "По-лесно е, отколкото изглежда."),
    "Serbian": ("Хвала на питању, радо ћу објаснити.", "Прво да разумемо шта се пита.", "Моје размишљање је следеће:", "Сада ћу ти дати потпун одговор.", "Лакше је него што изгледа."),
    "Croatian": ("Hvala na pitanju, rado ću objasniti.", "Prvo shvatimo što se pita.", "Moje razmišljanje je sljedeće:", "Sada ću ti dati potpun odgovor.", "Lakše je nego što izgleda."),
    "Slovenian": ("Hvala za vprašanje, z veseljem pojasnim.", "Najprej razumimo, kaj se sprašuje.", "Moje razmišljanje je naslednje:", "Zdaj ti dam popoln odgovor.", "Lažje je, kot se zdi."),
    "Lithuanian": ("Ačiū už klausimą, mielai paaiškinsiu.", "Pirma supraskime, ko klausiama.", "Mano samprotavimas toks:", "Dabar duosiu tau išsamų atsakymą.", "Tai lengviau, nei atrodo."),
    "Latvian": ("Paldies par jautājumu, labprāt paskaidrošu.", "Vispirms sapratīsim, kas tiek jautāts.", "Mans spriedums ir šāds:", "Tagad es došu tev pilnu atbildi.", "Tas ir vieglāk, nekā izskatās."),
    "Estonian": ("Tänan küsimuse eest, selgitan hea meelega.", "Kõigepealt saame aru, mida küsitakse.", "Minu arutluskäik on järgmine:", "Nüüd annan sulle täieliku vastuse.", "See on lihtsam, kui paistab."),
    "Turkish": ("Soru için teşekkürler, memnuniyetle açıklarım.", "Önce ne sorulduğunu anlayalım.", "Akıl yürütmem şöyle:", "Şimdi sana tam bir cevap veriyorum.", "Göründüğünden daha kolay."),
    "Arabic": ("شكرا على السؤال، سأشرح بكل سرور.", "لنفهم أولا ما المطلوب.", "تفكيري كالتالي:", "الآن أعطيك إجابة كاملة.", "الأمر أسهل مما يبدو."),
    "Persian": ("ممنون از سؤال، با کمال میل توضیح می‌دهم.", "اول بفهمیم چه پرسیده شده است.", "استدلال من چنین است:", "حالا پاسخ کاملی به شما می‌دهم.", "آسان‌تر از آن است که به نظر می‌رسد."),
    "Hebrew": ("תודה על השאלה, אסביר בשמחה.", "קודם נבין מה נשאל.", "ההיגיון שלי הוא כדלקמן:", "עכשיו אתן לך תשובה מלאה.", "זה קל יותר ממה שזה נראה."),
    "Hindi": ("प्रश्न के लिए धन्यवाद, मैं खुशी से समझाऊँगा।", "पहले समझें कि क्या पूछा गया है।", "मेरा तर्क इस प्रकार है:", "अब मैं आपको पूरा उत्तर देता हूँ।", "यह जितना दिखता है उससे आसान है।"),
    "Bengali": ("প্রশ্নের জন্য ধন্যবাদ, আমি আনন্দের সাথে ব্যাখ্যা করব।", "প্রথমে বুঝি কী জিজ্ঞাসা করা হয়েছে।", "আমার যুক্তি নিম্নরূপ:", "এখন আমি আপনাকে সম্পূর্ণ উত্তর দেব।", "এটা দেখতে যতটা কঠিন তার চেয়ে সহজ।"),
    "Tamil": ("கேள்விக்கு நன்றி, மகிழ்ச்சியுடன் விளக்குகிறேன்.", "முதலில் என்ன கேட்கப்படுகிறது என்று புரிந்துகொள்வோம்.", "என் தர்க்கம் பின்வருமாறு:", "இப்போது முழுமையான பதில் தருகிறேன்.", "இது தோன்றுவதை விட எளிது."),
    "Chinese": ("谢谢你的提问,我很乐意解释。", "首先我们来理解问题问的是什么。", "我的推理如下:", "现在我给你一个完整的回答。", "这比看起来要容易。"),
    "Japanese": ("ご質問ありがとうございます。喜んで説明します。", "まず何が問われているかを理解しましょう。", "私の推論は次のとおりです:", "では完全な回答をお伝えします。", "見た目より簡単です。"),
    "Korean": ("질문 감사합니다, 기꺼이 설명해 드리겠습니다.", "먼저 무엇을 묻는지 이해해 봅시다.", "제 추론은 다음과 같습니다:", "이제 완전한 답변을 드리겠습니다.", "보기보다 쉽습니다."),
    "Vietnamese": ("Cảm ơn câu hỏi, tôi rất vui được giải thích.", "Trước tiên hãy hiểu câu hỏi là gì.", "Lập luận của tôi như sau:", "Bây giờ tôi sẽ đưa ra câu trả lời đầy đủ.", "Điều này dễ hơn vẻ ngoài của nó."),
    "Thai": ("ขอบคุณสำหรับคำถาม ยินดีอธิบายครับ", "ก่อนอื่นมาทำความเข้าใจว่าถามอะไร", "เหตุผลของผมมีดังนี้:", "ตอนนี้ผมจะให้คำตอบที่สมบูรณ์", "มันง่ายกว่าที่เห็น"),
    "Indonesian": ("Terima kasih atas pertanyaannya, saya jelaskan dengan senang hati.", "Pertama, mari kita pahami apa yang ditanyakan.", "Penalaran saya sebagai berikut:", "Sekarang saya berikan jawaban lengkap.", "Ini lebih mudah daripada kelihatannya."),
    "Filipino": ("Salamat sa tanong, ikalulugod kong ipaliwanag.", "Unawain muna natin kung ano ang tinatanong.", "Ang aking pangangatwiran ay ganito:", "Ngayon ay ibibigay ko ang buong sagot.", "Mas madali ito kaysa sa hitsura nito."),
    "Swahili": ("Asante kwa swali, nitaeleza kwa furaha.", "Kwanza tuelewe kinachoulizwa.", "Hoja yangu ni hii ifuatayo:", "Sasa nakupa jibu kamili.", "Ni rahisi kuliko inavyoonekana."),
    "Catalan": ("Gràcies per la pregunta, ho explico de gust.", "Primer entenguem què es demana.", "El meu raonament és el següent:", "Ara et dono una resposta completa.", "És més fàcil del que sembla."),
    "Albanian": ("Faleminderit për pyetjen, e shpjegoj me kënaqësi.", "Së pari të kuptojmë çfarë kërkohet.", "Arsyetimi im është si vijon:", "Tani ju jap një përgjigje të plotë.", "Është më e lehtë nga sa duket."),
    "Georgian": ("გმადლობთ შეკითხვისთვის, სიამოვნებით აგიხსნით.", "ჯერ გავიგოთ, რას გვეკითხებიან.", "ჩემი მსჯელობა ასეთია:", "ახლა სრულ პასუხს მოგცემთ.", "ეს უფრო ადვილია, ვიდრე ჩანს."),
    "Kazakh": ("Сұрағыңызға рахмет, қуана түсіндіремін.", "Алдымен не сұралғанын түсінейік.", "Менің пайымым мынадай:", "Енді сізге толық жауап беремін.", "Бұл көрінгеннен оңайырақ."),
}  # fmt: skip

_STARTS = (
    "Alright", "Okay", "Sure", "Of course", "Certainly", "Right", "Well", "Yes, of course", "Thanks for the question",
    "Fair question", "No worries", "Happy to", "Absolutely", "Understood", "Great",
)  # fmt: skip
_ENDS = (
    "I'll take this step by step.", "let me lay out my reasoning.", "here's what you asked for.", "the answer follows.",
    "let's think about what is being asked.", "I will give you the full solution.", "let me start with the basics.",
    "here is my detailed explanation:", "let's find the answer together.", "my thoughts are as follows:",
    "this is easier than it looks.", "I'd like to answer this carefully.", "see the explanation below.",
    "let me give you a thorough response.", "we can now work out the result.",
)  # fmt: skip
_ALONE = (
    "Thought process:", "Let's think step by step.", "Solution", "Final solution:", "Reasoning steps:", "Here's my thought process:",
    "Let me reason through this.", "The explanation goes as follows.", "Let's analyze the question.", "Let us begin.",
    "We need to find the answer.", "We are asked to answer a question.", "The question asks us something interesting.",
    "I understand the question.", "I need to think about this.", "Thinking it through...", "Let me double-check.",
    "Now I can answer.", "Here comes the answer.", "That's the answer.", "And that is my final answer.", "Q.E.D.", "Hope this helps!",
    "Let me know if anything is unclear.", "I'm here to help.", "Answer below:", "Detailed solution:", "Overview:", "Introduction:", "Step 1: Read the question carefully.",
)  # fmt: skip

FRAMES = (
    "\n", "\r\n\r\n", "\u2009\u2009", "\u200e\u200f", "\u180e", "\u00ad\u00ad", "\u2060", "\u205f", "\ufe0f\ufe0f", "\u034f", "\u17b4\u17b5", "..", ". . .", "……", "。", "。。。", "、", "،", "؟", "¿?", "¡!", "!?", ";;",
    "----------", "— — —", "______", "* * *", "*****", "# #", "> ", "> > >", "~", "``", "``````", "```text\n\n```", "```\n\n\n```", "~~~\n~~~", "[ ][ ]", "{ { } }", "[,]", "[[], []]", '{"": ""}', '{"a": {"b": {}}}', '{"answer": "...", "explanation": "..."}',
    '{"answer": "-"}', '{"final_answer": "", "steps": []}', '{"response": [null, null]}', '{"content": "\\n"}', '[{"step": ""}, {"step": ""}]', '"  "', "' '", "‘’", "〈〉", "《》", "（）", "［］", "…?", "-->", "<--", "==>", "• \n• \n• ", "– \n– \n", "+ \n+ \n", "① ② ③", "1. \n\n2. \n\n3. ", "i)\nii)\niii)",
    "A)\nB)\nC)\nD)", "(1)\n(2)\n(3)", "Step 1:\nStep 2:\nStep 3:", "Step 1.\nStep 2.", "## Step 1\n## Step 2\n## Step 3", "# Introduction\n\n# Body\n\n# Conclusion", "Introduction:\n\nMain part:\n\nConclusion:", "**Step 1:**\n\n**Step 2:**", "Pros:\n-\n\nCons:\n-", "Question:\n\nAnswer:\n", "Input:\nOutput:",
    "| Step | Explanation |\n|------|-------------|\n|      |             |", "|:-:|:-:|\n| | |", "<br>", "<hr/>", "<p>&nbsp;</p>", "<div>\n  <span></span>\n</div>", "<ol><li></li></ol>", "<answer> </answer>", "<solution></solution>", "<output/>", "<thinking></thinking>", "<thought>\n</thought>", "<analysis>...</analysis>", "[THINK][/THINK]",
    "<reflection></reflection>\n<answer></answer>", "<!DOCTYPE html>\n<html>\n<body>\n</body>\n</html>", "<svg></svg>", "\\boxed{ }", "$\\boxed{\\quad}$", "$$\\begin{aligned}\\end{aligned}$$", "\\[\\]", "\\begin{itemize}\n\\item\n\\item\n\\end{itemize}", "\\section{}\n\\subsection{}", "\\textit{}", "\\underline{\\hspace{2cm}}",
    "response: ''", "result: null\nnotes: null", "steps:\n  - \n  - \nanswer: ''", "title: \"\"\nbody: \"\"", "answer = ", "answer = None", "[answer]\ntext =", "{{answer}}", "<ANSWER>", "[INSERT ANSWER]", "[fill in]", "(to be completed)", "[...insert explanation here...]", "{response}", "$1", "%ANSWER%", "__ANSWER__", "<YOUR ANSWER>",
    "//", "/**\n *\n */", "--", "''' '''", '""" """', "print()", "print('')", "echo", "null", "[object Object]", "undefined", "✔️", "✅ ✅", "☑", "★★★★★", "🔥🔥🔥", "🚀", "🤖", "👌👌", "❤️❤️❤️", "🙏", "📌📌", "💬", "⬇️⬇️⬇️", "👇", "🔽\n🔽", "▬▬▬▬▬", "░░░░░░", "♪♪♪♪", "☆彡☆彡",
    "1" * 250, "x" * 300, "xy" * 180, "no " * 90, "test " * 60, "answer " * 50, "the answer is " * 30, "hello " * 70, "?!" * 120, "#" * 300, "lalala " * 40, "da da da da da da da da da da da da", "and and and and and and and and and and", ("b" * 150 + " d ") * 18, "qwerty" * 40, "好" * 120, "да " * 80, "ok ok ok ok ok ok ok ok ok ok ok ok",
)  # fmt: skip


def _echoes(question: str) -> Iterator[str]:
    yield question.lower()
    yield f"{question} {question}"
    yield f"# {question}"
    yield f"Your question was: {question}"
    yield f"Q: {question}\nA:"
    yield f"{question}\n\nGreat question!"
    yield f"To answer the question “{question}”, let us think step by step."
    yield f"<question>{question}</question><answer></answer>"
    yield question[: len(question) // 2 + 4]
    yield f"The question is: {question} The answer is:"
    yield f"| Question | Answer |\n|---|---|\n| {question} | |"


def kinds() -> Iterator[tuple[str, str, str]]:
    """The kind, a question, and a response to it that says nothing."""
    chance = random.Random(8)
    questions = cycle(QUESTIONS)
    grammar = [f"{start}{chance.choice((',', '!', '.', ' -'))} {end}" for start, end in product(_STARTS, _ENDS)]
    english = [*_ALONE, *chance.sample(grammar, 180)]
    others = [opening for openings in OTHERS.values() for opening in openings]
    for opening in english:
        yield "English openings", next(questions), opening
    for opening in others:
        yield "openings in other languages", next(questions), opening
    for name, disguise in DISGUISES.items():
        for opening in (*chance.sample(english, 3), *chance.sample(others, 2)):
            yield f"disguised: {name}", next(questions), disguise(opening)
    for frame in FRAMES:
        yield "blanks and frames", next(questions), frame
    for question in QUESTIONS:
        for echo in _echoes(question):
            yield "echoes", question, echo
