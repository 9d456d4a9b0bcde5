# ruff: noqa: E501 - sentences of many languages
"""A fifth corpus of responses that say nothing: other ideas, other frames; written after the rules it measures.

Five ideas, each said once in 26 languages: I shall put the essentials together; one sentence is not enough for this;
that is all I wanted to say; I have read what you wrote, and here is what I think; many people want to know this.
"""

import json
import random
from collections.abc import Callable, Iterator

QUESTIONS = (
    "Why do leaves change colour in autumn?",
    "I have had a dry cough for three weeks. What could it be?",
    "Prove that the square root of two is irrational.",
    "Translate the word 'umbrella' into Portuguese.",
    "Write an apology to a customer whose parcel was lost.",
    "Wie viele Planeten hat unser Sonnensystem?",
    "Quelle est la meilleure façon de conserver le pain ?",
    "请用三句话介绍长城。",
)
LANGUAGES = {
    "German": (
        "Gleich stelle ich dir das Wesentliche zusammen.", "In einem einzigen Satz lässt sich das nicht abhandeln.",
        "So, mehr wollte ich dazu gar nicht loswerden.", "Ich habe mir durchgelesen, was du schreibst, und sehe das so:",
        "Das möchten übrigens viele Leute wissen.",
    ),
    "French": (
        "Je vous rassemble l'essentiel dans un instant.", "Une seule phrase ne suffirait pas pour traiter cela.",
        "Voilà, c'est tout ce que je voulais dire.", "J'ai lu ce que vous avez écrit et voici ce que j'en pense.",
        "Beaucoup de gens se le demandent, d'ailleurs.",
    ),
    "Spanish": (
        "Enseguida te reúno lo esencial.", "Una sola frase no alcanza para tratar esto.",
        "Bueno, eso era todo lo que quería decir.", "He leído lo que escribiste y esto es lo que opino.",
        "Mucha gente quiere saberlo, por cierto.",
    ),
    "Portuguese": (
        "Já reúno o essencial para você.", "Uma única frase não chega para tratar disso.",
        "Bem, era só isso que eu queria dizer.", "Li o que você escreveu e é isto que penso.",
        "Muita gente quer saber isso, aliás.",
    ),
    "Italian": (
        "Ora ti raccolgo l'essenziale.", "Una sola frase non basta per trattarne.",
        "Ecco, era tutto quello che volevo dire.", "Ho letto quello che hai scritto ed ecco che cosa ne penso.",
        "Del resto se lo chiedono in tanti.",
    ),
    "Dutch": (
        "Zo meteen zet ik de hoofdzaken voor je op een rij.", "Met één zin kom je hier niet ver.",
        "Nou, dat was alles wat ik kwijt wilde.", "Ik heb gelezen wat je schreef en zo kijk ik ertegenaan.",
        "Dat willen trouwens veel mensen weten.",
    ),
    "Swedish": (
        "Jag samlar strax det viktigaste åt dig.", "Det räcker inte med en enda mening för detta.",
        "Ja, det var allt jag ville säga.", "Jag har läst vad du skrev och så här ser jag på det.",
        "Det är många som undrar över just detta.",
    ),
    "Finnish": (
        "Kokoan sinulle kohta olennaisimman.", "Yksi lause ei riitä tähän.",
        "Siinä kaikki, mitä halusin sanoa.", "Luin, mitä kirjoitit, ja olen tätä mieltä.",
        "Moni muukin haluaa tietää tämän.",
    ),
    "Polish": (
        "Zaraz zbiorę dla ciebie to, co najważniejsze.", "Jedno zdanie na to nie wystarczy.",
        "No i to wszystko, co chciałem powiedzieć.", "Przeczytałem, co napisałeś, i tak na to patrzę.",
        "Wielu ludzi chce to zresztą wiedzieć.",
    ),
    "Czech": (
        "Hned ti shrnu to podstatné.", "Jedna věta na to nestačí.",
        "Tak, to je vše, co jsem chtěl říct.", "Přečetl jsem si, co píšeš, a vidím to takto.",
        "To chce ostatně vědět mnoho lidí.",
    ),
    "Hungarian": (
        "Mindjárt összeszedem neked a lényeget.", "Egyetlen mondat ehhez nem elég.",
        "Nos, ennyit szerettem volna mondani.", "Elolvastam, amit írtál, és így látom.",
        "Ezt egyébként sokan szeretnék tudni.",
    ),
    "Romanian": (
        "Imediat îți adun esențialul.", "O singură propoziție nu ajunge pentru asta.",
        "Ei bine, asta e tot ce voiam să spun.", "Am citit ce ai scris și iată ce cred.",
        "De altfel, mulți oameni vor să afle asta.",
    ),
    "Greek": (
        "Σε λίγο θα σου μαζέψω τα βασικά.", "Μία μόνο πρόταση δεν φτάνει γι' αυτό.",
        "Λοιπόν, αυτά ήθελα να πω.", "Διάβασα όσα έγραψες και να τι πιστεύω.",
        "Πολύς κόσμος θέλει να το μάθει, άλλωστε.",
    ),
    "Russian": (
        "Сейчас соберу для вас самое главное.", "Одним предложением тут не обойтись.",
        "Вот, собственно, и всё, что я хотел сказать.", "Я прочитал, что вы написали, и вот что думаю.",
        "Кстати, это многие хотят знать.",
    ),
    "Ukrainian": (
        "Зараз зберу для вас найголовніше.", "Одним реченням тут не обійтися.",
        "Ось, власне, і все, що я хотів сказати.", "Я прочитав, що ви написали, і ось що думаю.",
        "До речі, багато хто хоче це знати.",
    ),
    "Turkish": (
        "Birazdan işin özünü sizin için toparlayacağım.", "Bunun için tek bir cümle yetmez.",
        "İşte söylemek istediklerim bu kadar.", "Yazdıklarınızı okudum, düşüncem şöyle.",
        "Bunu pek çok insan bilmek istiyor zaten.",
    ),
    "Arabic": (
        "سأجمع لك أهم ما في الأمر بعد قليل.", "لا تكفي جملة واحدة لهذا.",
        "هذا كل ما أردت قوله.", "قرأت ما كتبته وهذا ما أراه.",
        "كثير من الناس يريدون معرفة ذلك.",
    ),
    "Persian": (
        "همین حالا اصل مطلب را برایتان جمع می‌کنم.", "یک جمله برای این کافی نیست.",
        "خب، همه حرف من همین بود.", "آنچه نوشتید خواندم و نظرم این است.",
        "خیلی‌ها می‌خواهند این را بدانند.",
    ),
    "Hebrew": (
        "תכף ארכז לך את העיקר.", "משפט אחד לא מספיק לזה.",
        "טוב, זה כל מה שרציתי להגיד.", "קראתי את מה שכתבת וזה מה שאני חושב.",
        "אגב, הרבה אנשים רוצים לדעת את זה.",
    ),
    "Hindi": (
        "मैं अभी आपके लिए मुख्य बातें इकट्ठा करता हूँ।", "इसके लिए एक वाक्य काफ़ी नहीं है।",
        "बस, मैं इतना ही कहना चाहता था।", "आपने जो लिखा, मैंने पढ़ा, और मेरी राय यह है।",
        "वैसे बहुत लोग यह जानना चाहते हैं।",
    ),
    "Bengali": (
        "এখনই আপনার জন্য মূল কথাগুলো গুছিয়ে নিচ্ছি।", "এর জন্য একটি বাক্য যথেষ্ট নয়।",
        "ব্যস, এটুকুই বলতে চেয়েছিলাম।", "আপনি যা লিখেছেন পড়েছি, আমার মত এই।",
        "অনেকেই এটা জানতে চান।",
    ),
    "Vietnamese": (
        "Tôi sẽ gom những điều cốt lõi cho bạn ngay.", "Một câu thì không đủ cho việc này.",
        "Vâng, đó là tất cả những gì tôi muốn nói.", "Tôi đã đọc những gì bạn viết và đây là suy nghĩ của tôi.",
        "Nhiều người cũng muốn biết điều này.",
    ),
    "Indonesian": (
        "Sebentar lagi saya kumpulkan intinya untuk Anda.", "Satu kalimat saja tidak cukup untuk ini.",
        "Nah, itu saja yang ingin saya sampaikan.", "Saya sudah membaca tulisan Anda dan beginilah pendapat saya.",
        "Banyak orang memang ingin mengetahuinya.",
    ),
    "Chinese": (
        "我马上为你整理出最关键的内容。", "这不是一句话能讲完的。", "好了，我想说的就是这些。",
        "你写的我都读过了，我的想法是这样的。", "其实很多人都想知道这个。",
    ),
    "Japanese": (
        "すぐに要点をまとめます。", "一言では語り尽くせません。", "以上が私の言いたかったことです。",
        "お書きになったことを読みました。私はこう考えます。", "これを知りたい人は多いですね。",
    ),
    "Korean": (
        "곧 핵심을 모아 드릴게요.", "한 문장으로는 다 말할 수 없습니다.", "제가 하고 싶은 말은 여기까지입니다.",
        "쓰신 글을 읽어 보았고, 제 생각은 이렇습니다.", "많은 분들이 이것을 알고 싶어 하십니다.",
    ),
}  # fmt: skip
_WHO = ("I", "We", "In this reply I", "Today I", "As promised, I")
_WILL = ("shall", "am eager to", "would love to", "will now", "intend to", "plan to", "want to")
_ACT = (
    "unpack this for you", "boil it down to the essentials", "get you up to speed", "cover the ground thoroughly",
    "lend a hand with that", "break everything into manageable chunks", "give you the full picture",
    "take you through my reasoning", "set out my thinking", "respond in a way that is both clear and useful",
)  # fmt: skip
_TAILS = ("", " right away", " before long", " as best I can", " in plain language", ", so please bear with me")
_REMARKS = (
    "A single sentence would not do it justice.", "People wonder about this all the time.",
    "That is really all I had in mind.", "I went over your message with great care.",
    "It would be easy to get this wrong.", "Everything hinges on the way one frames it.",
    "Where to start? There is so much to unpack.", "Some would agree and others would not.",
    "Hopefully you found this informative.", "The key takeaways are listed in the summary.",
    "My verdict comes at the very end.", "No stone will be left unturned.",
    "This deserves a nuanced treatment.", "You raise an excellent point there.",
    "Those are my two cents.", "Such matters call for prudence.",
)  # fmt: skip
_FRAMES: tuple[Callable[[random.Random], str], ...] = (
    lambda draw: "\n".join(f"[{draw.choice(_NAMES)}]\n{draw.choice(_NAMES)} =" for _ in range(2)),
    lambda draw: "".join(f"<{name}>" for name in _NAMES[:3]) + "".join(f"</{name}>" for name in _NAMES[2::-1]),
    lambda draw: json.dumps([{draw.choice(_NAMES): None, "children": [{}]}] * draw.randrange(1, 4)),
    lambda draw: ",".join([""] * draw.randrange(3, 9)) + "\n" + ",".join([""] * 5),
    lambda draw: "```\n```\n\n```" + draw.choice(("json", "md", "")) + "\n\n```",
    lambda draw: f"\\{draw.choice(('textbf', 'emph', 'boxed', 'mathrm'))}{{\\{draw.choice(('textit', 'text'))}{{ }}}}",
    lambda draw: f"<{draw.choice(('input', 'img', 'meta', 'br'))} {draw.choice(('/', 'hidden', ''))}>",
    lambda draw: "\n".join(f"{number}. **  **" for number in range(1, draw.randrange(3, 6))),
    lambda draw: f"{{{{ {draw.choice(_NAMES)} }}}}",
    lambda draw: f"<!-- {draw.choice(_NAMES)} goes here -->",
    lambda draw: f"<{draw.choice(('think', 'thought', 'reasoning', 'plan'))}>\nWell.\n</" + "think>",
    lambda draw: "- [ ] \n" * draw.randrange(2, 6),
)
_NAMES = ("answer", "result", "explanation", "content", "summary", "value")
_SIGNS = "·•※†‡§¶─━│┃═║╔╗▁▂▃▄█░▒▓◆◇○●□■△▲▽▼☆★♪♫~^`´¨¯_-=+/\\|"
_PERIODS = (
    "Right. So. ",
    "and on and on ",
    "ещё раз ",
    "然后，",
    "हाँ हाँ ",
    "x1 " * 3,
    "Tick tock, ",
    "— ",
    "😀 😃 ",
    "na" * 40 + ". ",
)
_STYLES: tuple[Callable[[str], str], ...] = (
    lambda text: f"<details><summary>{text}</summary></details>",
    lambda text: f"\\begin{{quote}}{text}\\end{{quote}}",
    lambda text: json.dumps([{"role": "assistant", "content": text}], ensure_ascii=False),
    lambda text: f"| step | text |\n|---|---|\n| | {text} |",
    lambda text: f"{text}\n\n{'=' * 20}\n\n[]()",
    lambda text: f"*{text}* {'.' * 30}",
    lambda text: f"output:\n  text: {json.dumps(text, ensure_ascii=False)}\n  score:\n",
    lambda text: text.swapcase(),
    lambda text: f"// {text}\n/* */",
    lambda text: f"“{text}”",
)  # fmt: skip
_ECHOES: tuple[Callable[[str], str], ...] = (
    lambda question: f"I was asked the following: {question}",
    lambda question: f"> {question}\n\n",
    lambda question: "\n".join(question.split()),
    lambda question: f"{question.rstrip('?.。')}: that is the matter at hand.",
    lambda question: json.dumps({"prompt": question, "response": ""}, ensure_ascii=False),
    lambda question: question.swapcase(),
)


def degenerate_texts() -> Iterator[tuple[str, str, str]]:
    """(kind, question, text), about 450 of them, the same in every run."""
    draw = random.Random(5_115)
    english = [_intention(draw) for _ in range(64)]
    others = [text for texts in LANGUAGES.values() for text in texts]
    kinds = {
        "English intentions": english,
        "English remarks": list(_REMARKS),
        "other languages": others,
        "disguised": [draw.choice(_STYLES)(draw.choice((*english, *others))) for _ in range(60)],
        "frames": [draw.choice(_FRAMES)(draw) for _ in range(60)],
        "blanks": ["".join(draw.choice(_SIGNS) for _ in range(draw.randrange(2, 30))) for _ in range(30)],
        "repetition": [period * times for period in _PERIODS for times in (40, 110)],
    }
    for kind, texts in kinds.items():
        for place, text in enumerate(texts):
            yield kind, QUESTIONS[place % len(QUESTIONS)], text
    for question in QUESTIONS:
        for echo in _ECHOES:
            yield "echoes", question, echo(question)


def _intention(draw: random.Random) -> str:
    first = f"{draw.choice(_WHO)} {draw.choice(_WILL)} {draw.choice(_ACT)}{draw.choice(_TAILS)}"
    return first + draw.choice((".", "!", ":", f". {draw.choice(_REMARKS)}"))
