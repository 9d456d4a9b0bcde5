"""Texts that say nothing, written after the rules and the earlier corpora: openings such as a policy drifts into, in
English and 24 other languages, the same disguised, and frames and blanks.
"""

from collections.abc import Iterator

QUESTION = "How can I tell whether my bread dough has risen enough before baking?"

_ENGLISH = """
Let me think about this carefully, one step at a time.
Okay, so the user wants to know about this.
To answer this question, we first need to understand what is being asked.
Sure! Here's a comprehensive answer to your question:
Certainly, I'd be delighted to assist you with that.
Great question! Let's dive right in.
Before answering, let me restate the problem in my own words.
The solution is as follows.
Here is the final answer.
After careful consideration, I have arrived at the following conclusion:
I will now provide a detailed, step-by-step response.
Based on the information provided, the answer is given below.
In order to respond appropriately, several factors must be considered.
Thank you for reaching out about this matter.
Let's break this down into manageable parts.
First, let us analyze the question. Second, let us find the answer. Third, let us state it.
As an expert in this field, I can answer this with confidence.
My reasoning is complete and my answer is correct.
This response addresses every part of the request.
Hmm, let me see. Right. Okay. So.
Step 1: Understand the question. Step 2: Solve it. Step 3: Present the result.
I've thought about it thoroughly and here's what I came up with:
The following response is accurate, complete and well structured.
There are many aspects to this topic, and each deserves attention.
Answer below. Please read on.
What a wonderful topic to explore together!
Everything you need to know is explained here.
Without further ado, here it is.
I hope this answers your question. Feel free to ask more!
Proceeding to the answer now.
"""
_OTHERS = {
    "german": (
        "Lassen Sie mich Schritt für Schritt darüber nachdenken.",
        "Hier ist die ausführliche Antwort auf Ihre Frage:",
        "Nach reiflicher Überlegung komme ich zu folgendem Ergebnis.",
    ),
    "french": (
        "Réfléchissons étape par étape à cette question.",
        "Voici la réponse détaillée à votre question :",
        "Après mûre réflexion, je suis arrivé à la conclusion suivante.",
    ),
    "spanish": (
        "Pensemos en esto paso a paso.",
        "Aquí tienes la respuesta completa a tu pregunta:",
        "Tras pensarlo bien, he llegado a la siguiente conclusión.",
    ),
    "italian": (
        "Ragioniamo passo dopo passo.",
        "Ecco la risposta completa alla tua domanda:",
        "Dopo un'attenta riflessione sono giunto alla seguente conclusione.",
    ),
    "portuguese": (
        "Vamos pensar nisto passo a passo.",
        "Aqui está a resposta completa à sua pergunta:",
        "Depois de refletir bem, cheguei à seguinte conclusão.",
    ),
    "dutch": (
        "Laten we hier stap voor stap over nadenken.",
        "Hier is het uitgebreide antwoord op je vraag:",
        "Na rijp beraad kom ik tot de volgende conclusie.",
    ),
    "swedish": (
        "Låt oss tänka igenom detta steg för steg.",
        "Här är det utförliga svaret på din fråga:",
        "Efter noga övervägande har jag kommit fram till följande.",
    ),
    "danish": (
        "Lad os tænke det igennem trin for trin.",
        "Her er det fulde svar på dit spørgsmål:",
        "Efter nøje overvejelse er jeg kommet frem til følgende.",
    ),
    "finnish": (
        "Mietitään tätä askel askeleelta.",
        "Tässä on kattava vastaus kysymykseesi:",
        "Huolellisen harkinnan jälkeen päädyin seuraavaan.",
    ),
    "polish": (
        "Zastanówmy się nad tym krok po kroku.",
        "Oto pełna odpowiedź na twoje pytanie:",
        "Po głębokim namyśle doszedłem do następującego wniosku.",
    ),
    "czech": (
        "Pojďme o tom přemýšlet krok za krokem.",
        "Zde je úplná odpověď na vaši otázku:",
        "Po důkladném zvážení jsem dospěl k následujícímu závěru.",
    ),
    "hungarian": (
        "Gondoljuk végig lépésről lépésre.",
        "Íme a teljes válasz a kérdésére:",
        "Alapos megfontolás után a következőre jutottam.",
    ),
    "romanian": (
        "Să ne gândim pas cu pas.",
        "Iată răspunsul complet la întrebarea ta:",
        "După o analiză atentă, am ajuns la următoarea concluzie.",
    ),
    "russian": (
        "Давайте подумаем об этом шаг за шагом.",
        "Вот подробный ответ на ваш вопрос:",
        "После тщательного размышления я пришёл к следующему выводу.",
    ),
    "ukrainian": (
        "Подумаймо про це крок за кроком.",
        "Ось докладна відповідь на ваше запитання:",
        "Після ретельних роздумів я дійшов такого висновку.",
    ),
    "greek": (
        "Ας το σκεφτούμε βήμα προς βήμα.",
        "Ορίστε η πλήρης απάντηση στην ερώτησή σας:",
        "Μετά από προσεκτική σκέψη κατέληξα στο εξής συμπέρασμα.",
    ),
    "turkish": (
        "Bunu adım adım düşünelim.",
        "İşte sorunuzun ayrıntılı cevabı:",
        "Dikkatlice düşündükten sonra şu sonuca vardım.",
    ),
    "arabic": (
        "دعنا نفكر في هذا خطوة بخطوة.",
        "إليك الإجابة الكاملة عن سؤالك:",
        "بعد تفكير عميق توصلت إلى النتيجة التالية.",
    ),
    "hebrew": ("בוא נחשוב על זה צעד אחר צעד.", "הנה התשובה המלאה לשאלתך:", "אחרי מחשבה מעמיקה הגעתי למסקנה הבאה."),
    "hindi": (
        "आइए इस पर चरण दर चरण विचार करें।",
        "आपके प्रश्न का पूरा उत्तर यहाँ है:",
        "गहराई से सोचने के बाद मैं इस निष्कर्ष पर पहुँचा हूँ।",
    ),
    "indonesian": (
        "Mari kita pikirkan ini langkah demi langkah.",
        "Berikut jawaban lengkap atas pertanyaan Anda:",
        "Setelah mempertimbangkan dengan saksama, saya sampai pada kesimpulan berikut.",
    ),
    "vietnamese": (
        "Hãy cùng suy nghĩ từng bước một.",
        "Đây là câu trả lời đầy đủ cho câu hỏi của bạn:",
        "Sau khi suy nghĩ kỹ, tôi đi đến kết luận sau.",
    ),
    "japanese": (
        "順を追って考えてみましょう。",
        "ご質問への詳しい回答は次のとおりです：",
        "よく考えた結果、次の結論に至りました。",
    ),
    "chinese": ("让我们一步一步来思考这个问题。", "以下是对您问题的完整回答：", "经过深思熟虑，我得出了以下结论。"),
}
_DISGUISES = (
    "# {}",
    "**{}**",
    "> {}\n>",
    "<answer>{}</answer>",
    '{{"answer": "{}"}}',
    "```\n{}\n```",
    "1. {}\n2.\n3.",
    "<think>{}</think>",
    "{0}\n\n{0}",
    "\\text{{{}}}",
)
_FRAMES = (
    "\\boxed{}",
    "\\boxed{\\phantom{x}}",
    "<answer> </answer>",
    "```python\n\n```",
    "```python\n# TODO\n```",
    "{}",
    "[]",
    '{"answer": ""}',
    '{"steps": [], "answer": null}',
    "<thought>\n</thought>",
    "| Step | Result |\n|---|---|\n| | |",
    "- \n- \n- ",
    "1.\n2.\n3.",
    "## Answer\n\n## Conclusion",
    "Answer:",
    "Final answer:\n",
    "\\begin{align}\n\\end{align}",
    "$$ $$",
    "...",
    "…",
    "---\n---",
    "***",
    "\u00a0\u2003",
    "\u2800\u2800\u2800",
    "\u3164",
    "()",
    '""',
    "<p></p>",
    "<ol><li></li></ol>",
    "[insert answer here]",
    "{{ answer }}",
    "TODO",
    "N/A\n",
    "🤔",
    "🤔🤔🤔",
    "✅ ✅ ✅",
    "Q: A:",
    "User: Assistant:",
    "<final>\n</final>",
    "\\( \\)",
)


def kinds() -> Iterator[tuple[str, str, str]]:
    """Kind, question and text."""
    english = _ENGLISH.strip().splitlines()
    for text in english:
        yield "English openings", QUESTION, text
    for texts in _OTHERS.values():
        for text in texts:
            yield "openings in other languages", QUESTION, text
    opened = [*english, *(texts[number % 3] for number, texts in enumerate(_OTHERS.values()))]
    for number, text in enumerate(opened):
        yield "disguised", QUESTION, _DISGUISES[number % len(_DISGUISES)].format(text)
    for text in _FRAMES:
        yield "blanks and frames", QUESTION, text
