# ruff: noqa: E501 - sentences of many languages
"""A sixth corpus of responses that say nothing, in prose alone: written after the words of the fifth were added.

Four ideas, each said once in 30 languages: I gladly take this on; as so often, it is not easy to get to the point; I
leave the judgement to you; you shall have your answer, just be patient. And 60 English remarks by a grammar of other words.
"""

import random
from collections.abc import Iterator

QUESTIONS = (
    "What causes tides?",
    "Is it safe to take ibuprofen together with aspirin?",
    "Sum the integers from 1 to 200.",
    "Describe the plot of Romeo and Juliet.",
    "Wie entsteht ein Gewitter?",
    "¿Por qué flota el hielo?",
)
LANGUAGES = {
    "German": ("Diese Aufgabe übernehme ich mit Vergnügen.", "Wie so oft ist es gar nicht leicht, auf den Punkt zu kommen.",
               "Das Urteil überlasse ich dir.", "Du bekommst deine Antwort schon noch, nur etwas Geduld."),
    "French": ("Je me charge de cette tâche avec plaisir.", "Comme souvent, il n'est pas simple d'aller droit au but.",
               "Je vous laisse en juger.", "Vous aurez votre réponse, un peu de patience."),
    "Spanish": ("Asumo esta tarea con mucho gusto.", "Como tantas veces, no es sencillo ir al grano.",
                "Dejo el juicio en tus manos.", "Tendrás tu respuesta, solo ten un poco de paciencia."),
    "Portuguese": ("Assumo esta tarefa com prazer.", "Como tantas vezes, não é simples ir direto ao assunto.",
                   "Deixo o julgamento por sua conta.", "Você terá a sua resposta, tenha só um pouco de paciência."),
    "Italian": ("Mi faccio carico volentieri di questo compito.", "Come spesso accade, non è semplice arrivare al dunque.",
                "Lascio a te il giudizio.", "Avrai la tua risposta, abbi solo un po' di pazienza."),
    "Dutch": ("Deze taak neem ik met plezier op me.", "Zoals zo vaak is het niet makkelijk om tot de kern te komen.",
              "Het oordeel laat ik aan jou over.", "Je krijgt je antwoord wel, heb nog even geduld."),
    "Swedish": ("Den uppgiften tar jag mig gärna an.", "Som så ofta är det inte lätt att komma till saken.",
                "Jag överlåter bedömningen åt dig.", "Du ska få ditt svar, ha bara lite tålamod."),
    "Danish": ("Den opgave påtager jeg mig med fornøjelse.", "Som så ofte er det ikke let at komme til sagen.",
               "Jeg overlader vurderingen til dig.", "Du skal nok få dit svar, hav bare lidt tålmodighed."),
    "Finnish": ("Otan tämän tehtävän mielelläni vastaan.", "Kuten niin usein, asiaan pääseminen ei ole helppoa.",
                "Jätän arvion sinulle.", "Saat kyllä vastauksesi, ole vain hetki kärsivällinen."),
    "Polish": ("Z przyjemnością podejmę się tego zadania.", "Jak to często bywa, niełatwo przejść do sedna.",
               "Osąd pozostawiam tobie.", "Dostaniesz swoją odpowiedź, tylko trochę cierpliwości."),
    "Czech": ("Tohoto úkolu se s potěšením ujmu.", "Jako tak často není snadné dostat se k jádru věci.",
              "Úsudek nechám na tobě.", "Svou odpověď dostaneš, jen měj trochu trpělivosti."),
    "Hungarian": ("Örömmel vállalom ezt a feladatot.", "Mint oly gyakran, nem könnyű a lényegre térni.",
                  "Az ítéletet rád bízom.", "Meg fogod kapni a válaszodat, csak légy egy kis türelemmel."),
    "Romanian": ("Îmi asum cu plăcere această sarcină.", "Ca de atâtea ori, nu e simplu să ajungi la subiect.",
                 "Las judecata în seama ta.", "Vei primi răspunsul, ai doar puțină răbdare."),
    "Greek": ("Αναλαμβάνω ευχαρίστως αυτή την εργασία.", "Όπως συχνά, δεν είναι εύκολο να μπει κανείς στο θέμα.",
              "Αφήνω την κρίση σε εσένα.", "Θα πάρεις την απάντησή σου, κάνε μόνο λίγη υπομονή."),
    "Russian": ("С удовольствием возьмусь за эту задачу.", "Как часто бывает, непросто сразу перейти к делу.",
                "Судить предоставляю вам.", "Вы получите свой ответ, только немного терпения."),
    "Ukrainian": ("Із задоволенням візьмуся за це завдання.", "Як часто буває, непросто одразу перейти до справи.",
                  "Судити залишаю вам.", "Ви отримаєте свою відповідь, тільки трохи терпіння."),
    "Bulgarian": ("С удоволствие се заемам с тази задача.", "Както често става, не е лесно да се стигне до същината.",
                  "Преценката оставям на вас.", "Ще получите своя отговор, само малко търпение."),
    "Croatian": ("Sa zadovoljstvom preuzimam ovaj zadatak.", "Kao i često, nije lako prijeći na stvar.",
                 "Prosudbu prepuštam tebi.", "Dobit ćeš svoj odgovor, samo malo strpljenja."),
    "Turkish": ("Bu görevi memnuniyetle üstleniyorum.", "Sık sık olduğu gibi, sadede gelmek kolay değil.",
                "Yargıyı size bırakıyorum.", "Cevabınızı alacaksınız, yalnızca biraz sabır."),
    "Arabic": ("أتولى هذه المهمة بكل سرور.", "كما يحدث كثيرا، ليس من السهل الوصول إلى صلب الموضوع.",
               "أترك الحكم لك.", "ستحصل على إجابتك، قليلا من الصبر فقط."),
    "Persian": ("با کمال میل این کار را بر عهده می‌گیرم.", "مثل همیشه، رفتن سر اصل مطلب آسان نیست.",
                "قضاوت را به شما می‌سپارم.", "پاسخ خود را خواهید گرفت، فقط کمی صبر کنید."),
    "Hebrew": ("אני לוקח על עצמי את המשימה בשמחה.", "כמו לעתים קרובות, לא קל להגיע לעיקר.",
               "אני משאיר לך את השיפוט.", "תקבל את התשובה שלך, רק קצת סבלנות."),
    "Hindi": ("मैं खुशी से यह काम अपने ऊपर लेता हूँ।", "जैसा अक्सर होता है, मुद्दे पर आना आसान नहीं है।",
              "निर्णय मैं आप पर छोड़ता हूँ।", "आपको आपका उत्तर मिल जाएगा, बस थोड़ा धैर्य रखें।"),
    "Tamil": ("இந்தப் பணியை மகிழ்ச்சியுடன் ஏற்கிறேன்.", "பல முறை போலவே, விஷயத்துக்கு வருவது எளிதல்ல.",
              "முடிவை உங்களிடம் விடுகிறேன்.", "உங்கள் பதில் கிடைக்கும், சற்று பொறுமையாக இருங்கள்."),
    "Vietnamese": ("Tôi rất vui được nhận nhiệm vụ này.", "Như thường lệ, không dễ đi thẳng vào vấn đề.",
                   "Tôi để bạn tự phán xét.", "Bạn sẽ có câu trả lời, chỉ cần kiên nhẫn một chút."),
    "Indonesian": ("Dengan senang hati saya mengambil tugas ini.", "Seperti biasa, tidak mudah langsung ke pokok persoalan.",
                   "Penilaiannya saya serahkan kepada Anda.", "Anda akan mendapat jawaban, bersabarlah sedikit."),
    "Swahili": ("Ninachukua kazi hii kwa furaha.", "Kama kawaida, si rahisi kufika kwenye kiini.",
                "Hukumu nakuachia wewe.", "Utapata jibu lako, kuwa na subira kidogo."),
    "Chinese": ("我很乐意接下这个任务。", "像往常一样，要一下子说到点子上并不容易。",
                "判断就交给你了。", "你会得到答案的，请稍微耐心一点。"),
    "Japanese": ("この課題を喜んで引き受けます。", "よくあることですが、要点に入るのは簡単ではありません。",
                 "判断はお任せします。", "回答は必ずお届けしますので、少々お待ちください。"),
    "Korean": ("이 과제를 기꺼이 맡겠습니다.", "늘 그렇듯이 바로 본론으로 들어가기는 쉽지 않습니다.",
               "판단은 당신에게 맡기겠습니다.", "곧 답을 받으실 테니 조금만 참아 주세요."),
}  # fmt: skip
_WHO = ("It falls to me to", "I gladly accept the challenge to", "Nothing would please me more than to",
        "Permit me to", "My task now is to", "It is high time to", "Count on me to")  # fmt: skip
_ACT = ("do your question justice", "untangle all of this", "shed light on every corner of it", "spell it out for you",
        "separate the wheat from the chaff", "bring some order into these things", "make sense of it all",
        "render a sound opinion", "satisfy your thirst for knowledge", "tie up the loose ends")  # fmt: skip
_HOW = ("", ", if you let me", ", slowly but surely", " once and for all", ", with all due caution", " on the spot")
_CLOSE = ("", " The judgement is yours.", " Patience will be rewarded.", " That goes without saying.",
          " So much for that.", " As the saying goes, good things take time.")  # fmt: skip


def degenerate_texts() -> Iterator[tuple[str, str, str]]:
    """(kind, question, text), 180 of them, the same in every run."""
    draw = random.Random(6_000)
    english = [f"{draw.choice(_WHO)} {draw.choice(_ACT)}{draw.choice(_HOW)}.{draw.choice(_CLOSE)}" for _ in range(60)]
    others = [text for texts in LANGUAGES.values() for text in texts]
    for kind, texts in {"English": english, "other languages": others}.items():
        for place, text in enumerate(texts):
            yield kind, QUESTIONS[place % len(QUESTIONS)], text
