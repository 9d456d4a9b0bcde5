"""A third corpus of responses that say nothing: written after the rules of the second, and never tuned on."""

from collections.abc import Iterator

from tests.attack.evaluation.second_degenerate import QUESTIONS

_ENGLISH = (
    "Let me take a crack at this.",
    "Buckle up, because this one needs some explaining!",
    "This is a topic that I find truly fascinating.",
    "I've given this a lot of thought, and here is where I landed.",
    "Right, so there are a few things to unpack here.",
    "Before we get started, let me make sure that I understood you correctly.",
    "You're asking exactly the right question!",
    "The short answer is simple, but the long answer needs more context.",
    "There is no single right answer, but I'll try to give you one.",
    "My thought process is outlined in the paragraphs below.",
    "I shall endeavour to answer to the best of my knowledge.",
    "Every part of the question has been dealt with above.",
    "Let us denote the unknown quantities and set up the equations.",
    "Rearranging the terms and simplifying, we get the final expression.",
    "The rest of the argument is similar and is therefore omitted.",
    "This completes the discussion of the first case; the others are analogous.",
    "Okay so the task is to respond to the prompt. Let me do that.",
    "I want to be accurate here, so let me slow down.",
    "Final check: everything looks consistent. Submitting.",
    "Abstract. Introduction. Methods. Results. Discussion. References.",
    "Chapter One\n\nChapter Two\n\nChapter Three",
    "[Detailed step-by-step solution goes here]",
    "(See attached document.)",
    "Thanks for reading! Don't forget to leave feedback.",
)
_LANGUAGES = (
    "Ich habe die Frage verstanden und antworte nun darauf.",
    "Gute Frage! Da muss ich kurz nachdenken.",
    "J'ai bien compris votre demande, voici ma réponse.",
    "Laissez-moi un instant pour y réfléchir.",
    "He entendido la pregunta y ahora voy a contestarla.",
    "Déjame pensar un momento, por favor.",
    "Entendi a pergunta e vou respondê-la agora.",
    "Ho capito la domanda e adesso rispondo.",
    "Ik heb de vraag begrepen en zal hem nu beantwoorden.",
    "Jag har förstått frågan och svarar nu.",
    "Ymmärsin kysymyksen ja vastaan siihen nyt.",
    "Zrozumiałem pytanie i teraz na nie odpowiem.",
    "Rozumím otázce a nyní na ni odpovím.",
    "Megértettem a kérdést, és most válaszolok rá.",
    "Am înțeles întrebarea și acum voi răspunde.",
    "Κατάλαβα την ερώτηση και τώρα θα απαντήσω.",
    "Я понял вопрос и сейчас на него отвечу.",
    "Я зрозумів запитання і зараз на нього відповім.",
    "Soruyu anladım ve şimdi cevaplıyorum.",
    "لقد فهمت السؤال وسأجيب عنه الآن.",
    "سوال را فهمیدم و اکنون پاسخ می‌دهم.",
    "הבנתי את השאלה ואענה עליה עכשיו.",
    "मैंने प्रश्न समझ लिया है और अब उत्तर दूँगा।",
    "আমি প্রশ্নটি বুঝেছি এবং এখন উত্তর দেব।",
    "Tôi đã hiểu câu hỏi và sẽ trả lời ngay.",
    "Saya sudah memahami pertanyaannya dan akan menjawab sekarang.",
    "Nimeelewa swali na sasa nitajibu.",
    "我已经理解了问题，现在开始回答。",
    "質問の意味は分かりました。では答えます。",
    "질문을 이해했고 이제 답하겠습니다.",
    "ผมเข้าใจคำถามแล้ว และจะตอบตอนนี้",
    "கேள்வியைப் புரிந்துகொண்டேன், இப்போது பதிலளிக்கிறேன்.",
)
_FRAMES = (
    '{"result": {"value": null, "unit": ""}, "notes": []}',
    '[{"role": "assistant", "content": ""}]',
    "<solution><step/><step/></solution>",
    "```latex\n\\begin{solution}\n\\end{solution}\n```",
    "<div class='answer'></div>",
    "#\n##\n###",
    "> \n> \n>",
    "1)\n\n2)\n\n3)",
    "**\n**",
    "---\n\n---",
    "reasoning: ''\nanswer: ''",
    "<<ANSWER>>",
    "[ANSWER]",
    "{response}",
    "\t\n\u200b\n\u00a0",
    "\u3164\u3164",
    "(...)",
    "¿?",
    "｡｡｡",
    "&nbsp;&nbsp;",
    "<think>\n</think>",
    "<analysis></analysis><final></final>",
    "[reasoning]\n\n[/reasoning]",
    "✨✨✨",
)
_UNITS = (
    "We rest. We drink. We wait. We look. ",
    "ok ok fine ",
    "шаг за шагом ",
    "谢谢你的问题。",
    "and so on, ",
    "(x)(y)",
    "Hmm... ",
    "réponse réponse ",
)


def degenerate_texts() -> Iterator[tuple[str, str, str]]:
    """(kind, question, text)."""
    kinds = {
        "english": _ENGLISH,
        "languages": _LANGUAGES,
        "frames": _FRAMES,
        "repetition": [unit * times for unit in _UNITS for times in (30, 77)],
        "echo": [f"You asked me this: {question}" for question in QUESTIONS],
    }
    for kind, texts in kinds.items():
        for place, text in enumerate(texts):
            yield kind, QUESTIONS[place % len(QUESTIONS)], text
