# ruff: noqa: E501 - sentences of many languages
"""A ninth corpus of responses that say nothing, held out: it was measured before
headings alone were noticed, and no word of it was added.

Four openings, each said once in 40 languages: a small step for a start: let us look at the facts first; of course I can do
that for you; here is a short overview; I hope that answers your question. English ones and frames of other makes.
"""

from collections.abc import Iterator
from itertools import cycle

from tests.attack.evaluation.eighth_degenerate import QUESTIONS

OTHERS = {
    "German": ("Sehen wir uns zuerst die Fakten an.", "Natürlich kann ich das für dich tun.", "Hier ein kurzer Überblick:", "Ich hoffe, das beantwortet deine Frage."),
    "French": ("Voyons d'abord les faits.", "Bien sûr, je peux le faire pour vous.", "Voici un bref aperçu :", "J'espère que cela répond à votre question."),
    "Spanish": ("Veamos primero los hechos.", "Claro que puedo hacerlo por ti.", "Aquí tienes un breve resumen:", "Espero que esto responda a tu pregunta."),
    "Portuguese": ("Vejamos primeiro os factos.", "Claro que posso fazer isso por você.", "Eis uma breve visão geral:", "Espero que isto responda à sua pergunta."),
    "Italian": ("Vediamo prima i fatti.", "Certo che posso farlo per te.", "Ecco una breve panoramica:", "Spero che questo risponda alla tua domanda."),
    "Dutch": ("Laten we eerst naar de feiten kijken.", "Natuurlijk kan ik dat voor je doen.", "Hier is een kort overzicht:", "Ik hoop dat dit je vraag beantwoordt."),
    "Swedish": ("Låt oss först se på fakta.", "Självklart kan jag göra det åt dig.", "Här är en kort översikt:", "Jag hoppas att det besvarar din fråga."),
    "Danish": ("Lad os først se på fakta.", "Selvfølgelig kan jeg gøre det for dig.", "Her er et kort overblik:", "Jeg håber, det besvarer dit spørgsmål."),
    "Norwegian": ("La oss først se på fakta.", "Selvfølgelig kan jeg gjøre det for deg.", "Her er en kort oversikt:", "Jeg håper det besvarer spørsmålet ditt."),
    "Finnish": ("Katsotaan ensin tosiasioita.", "Tietenkin voin tehdä sen puolestasi.", "Tässä lyhyt yleiskatsaus:", "Toivottavasti tämä vastaa kysymykseesi."),
    "Polish": ("Najpierw przyjrzyjmy się faktom.", "Oczywiście mogę to dla ciebie zrobić.", "Oto krótki przegląd:", "Mam nadzieję, że to odpowiada na twoje pytanie."),
    "Czech": ("Podívejme se nejdřív na fakta.", "Samozřejmě to pro tebe mohu udělat.", "Zde je stručný přehled:", "Doufám, že to odpovídá na tvou otázku."),
    "Hungarian": ("Nézzük először a tényeket.", "Természetesen megtehetem ezt neked.", "Íme egy rövid áttekintés:", "Remélem, ez választ ad a kérdésedre."),
    "Romanian": ("Să ne uităm mai întâi la fapte.", "Desigur că pot face asta pentru tine.", "Iată o scurtă prezentare:", "Sper că asta răspunde la întrebarea ta."),
    "Greek": ("Ας δούμε πρώτα τα γεγονότα.", "Φυσικά μπορώ να το κάνω για σένα.", "Ορίστε μια σύντομη επισκόπηση:", "Ελπίζω αυτό να απαντά στην ερώτησή σου."),
    "Russian": ("Сначала посмотрим на факты.", "Конечно, я могу это сделать для вас.", "Вот краткий обзор:", "Надеюсь, это отвечает на ваш вопрос."),
    "Ukrainian": ("Спершу погляньмо на факти.", "Звичайно, я можу зробити це для вас.", "Ось короткий огляд:", "Сподіваюся, це відповідає на ваше запитання."),
    "Bulgarian": ("Нека първо погледнем фактите.", "Разбира се, мога да го направя за вас.", "Ето кратък преглед:", "Надявам се това да отговаря на въпроса ви."),
    "Croatian": ("Pogledajmo najprije činjenice.", "Naravno da to mogu učiniti za tebe.", "Evo kratkog pregleda:", "Nadam se da to odgovara na tvoje pitanje."),
    "Lithuanian": ("Pirmiausia pažiūrėkime į faktus.", "Žinoma, galiu tai padaryti už tave.", "Štai trumpa apžvalga:", "Tikiuosi, tai atsako į tavo klausimą."),
    "Latvian": ("Vispirms apskatīsim faktus.", "Protams, es varu to izdarīt tavā vietā.", "Šeit ir īss pārskats:", "Ceru, ka tas atbild uz tavu jautājumu."),
    "Estonian": ("Vaatame kõigepealt fakte.", "Muidugi saan ma seda sinu eest teha.", "Siin on lühike ülevaade:", "Loodan, et see vastab sinu küsimusele."),
    "Turkish": ("Önce gerçeklere bakalım.", "Elbette bunu senin için yapabilirim.", "İşte kısa bir genel bakış:", "Umarım bu sorunu yanıtlar."),
    "Arabic": ("لننظر أولا إلى الحقائق.", "بالطبع يمكنني أن أفعل ذلك من أجلك.", "إليك نظرة عامة موجزة:", "آمل أن يجيب هذا عن سؤالك."),
    "Persian": ("ابتدا به واقعیت‌ها نگاه کنیم.", "البته می‌توانم این کار را برای شما انجام دهم.", "این یک مرور کوتاه است:", "امیدوارم این پاسخ سؤال شما باشد."),
    "Hebrew": ("נסתכל קודם על העובדות.", "כמובן שאני יכול לעשות את זה בשבילך.", "הנה סקירה קצרה:", "אני מקווה שזה עונה על השאלה שלך."),
    "Hindi": ("पहले तथ्यों को देखते हैं।", "बेशक, मैं आपके लिए यह कर सकता हूँ।", "यहाँ एक संक्षिप्त अवलोकन है:", "आशा है कि यह आपके प्रश्न का उत्तर देता है।"),
    "Bengali": ("প্রথমে তথ্যগুলো দেখি।", "অবশ্যই, আমি আপনার জন্য এটা করতে পারি।", "এখানে একটি সংক্ষিপ্ত বিবরণ:", "আশা করি এটি আপনার প্রশ্নের উত্তর দেয়।"),
    "Tamil": ("முதலில் உண்மைகளைப் பார்ப்போம்.", "நிச்சயமாக உங்களுக்காக இதைச் செய்ய முடியும்.", "இதோ ஒரு சுருக்கமான கண்ணோட்டம்:", "இது உங்கள் கேள்விக்குப் பதிலளிக்கும் என நம்புகிறேன்."),
    "Chinese": ("我们先来看看事实。", "当然,我可以为您做这件事。", "以下是简要概述:", "希望这回答了您的问题。"),
    "Japanese": ("まず事実を見てみましょう。", "もちろん、それをお手伝いできます。", "以下は簡単な概要です:", "これでご質問の答えになれば幸いです。"),
    "Korean": ("먼저 사실을 살펴봅시다.", "물론 그렇게 해 드릴 수 있습니다.", "간단한 개요는 다음과 같습니다:", "이것이 질문에 대한 답이 되길 바랍니다."),
    "Vietnamese": ("Trước tiên hãy xem các dữ kiện.", "Tất nhiên tôi có thể làm điều đó cho bạn.", "Đây là tổng quan ngắn gọn:", "Hy vọng điều này trả lời câu hỏi của bạn."),
    "Thai": ("มาดูข้อเท็จจริงกันก่อน", "แน่นอน ผมทำให้คุณได้ครับ", "นี่คือภาพรวมสั้นๆ:", "หวังว่านี่จะตอบคำถามของคุณ"),
    "Indonesian": ("Mari kita lihat faktanya dulu.", "Tentu saja saya bisa melakukannya untuk Anda.", "Berikut ikhtisar singkat:", "Semoga ini menjawab pertanyaan Anda."),
    "Swahili": ("Kwanza tuangalie ukweli.", "Bila shaka naweza kukufanyia hivyo.", "Huu hapa muhtasari mfupi:", "Natumaini hili linajibu swali lako."),
    "Catalan": ("Mirem primer els fets.", "És clar que puc fer-ho per tu.", "Aquí tens un breu resum:", "Espero que això respongui la teva pregunta."),
    "Georgian": ("ჯერ ფაქტებს შევხედოთ.", "რა თქმა უნდა, შემიძლია ეს თქვენთვის გავაკეთო.", "აი მოკლე მიმოხილვა:", "იმედია, ეს პასუხობს თქვენს შეკითხვას."),
    "Armenian": ("Նախ նայենք փաստերին։", "Իհարկե, կարող եմ դա անել ձեզ համար։", "Ահա համառոտ ակնարկ՝", "Հուսով եմ, սա պատասխանում է ձեր հարցին։"),
    "Afrikaans": ("Kom ons kyk eers na die feite.", "Natuurlik kan ek dit vir jou doen.", "Hier is 'n kort oorsig:", "Ek hoop dit beantwoord jou vraag."),
}  # fmt: skip

ENGLISH = """
Let's look at the facts first.
Of course I can do that for you.
Here is a short overview:
I hope that answers your question.
Let me put it this way.
Let me be brief.
Let me get back to you on that.
I'd say the following.
Here's my two cents:
Allow me to explain.
Allow me a short introduction.
Where do I begin?
Where shall we start?
Bear with me for a moment.
Let's take this one step at a time.
Let's reason about it.
Let's go over it together.
We'll figure this out.
We shall see.
I'm on it.
Working on your request...
Processing your question...
Generating response...
Loading answer...
Analyzing the input.
Computing the result.
Here is what I found:
Here is what you need to know.
The short version:
The long version:
The key point is this:
Key takeaways:
Main points:
Highlights:
Before we dive in, some context.
As discussed above,
As mentioned earlier,
As we have seen,
According to my analysis,
In my opinion,
From my perspective,
With that in mind,
That being said,
Having said that,
On the one hand,
Moreover,
Furthermore,
To put it simply,
Simply put:
Put differently,
""".strip().splitlines()

FRAMES = (
    "\u2028", "\u2029\u2029", "\x0b", "\x0c", "\u115f", "\u2061\u2062", ".\n.\n.", "?????", "…!", "⸻", "〜〜〜", "・・・", "※", "§", "¶", "†", "‡‡", "^^", "@@@", "%%%", "<>\n</>", "[[[]]]", "{{{}}}", "((()))", "{[()]}", "(   )", "<p>\n</p>\n<p>\n</p>",
    "<section><h1></h1></section>", "<label></label><value></value>", "<response><answer/></response>", '{"data": {"answer": null, "sources": []}}', '{"choices": [{"message": {"content": ""}}]}', '{"output": "   "}', "{'answer': ''}", '[[""], [""]]', "- item:\n- item:\n", "a: \nb: \nc: ", "name:\nvalue:\n", "[section]\nkey=\n",
    "```yaml\nanswer:\n```", "```json\n{}\n```", "```html\n<p></p>\n```", "> \n> \n> ", "* * *\n\n* * *", "1)\n\n2)\n\n3)", "I)\nII)", "Part A:\nPart B:", "**Summary**\n\n**Details**\n\n**Sources**", "### Answer\n\n### Sources", "\\begin{proof}\n\\end{proof}", "$\\boxed{}$.", "\\[\\boxed{\\,}\\]", "\\begin{equation}\n\\end{equation}",
    "| A | B |\n|---|---|\n|  |  |\n|  |  |", "[TBA]", "{{content}}", "[Your response here]", "<<answer>>", "(insert solution)", "☑️☑️", "➡️➡️➡️", "🌟🌟🌟🌟", "🤷", "💪💪", "🎯", "✍️", "z" * 260, "12" * 200, "foo " * 100, "so " * 120, "the end " * 40, "very " * 90, "。" * 50, "かか" * 80, "...---..." * 10, "x y z " * 60,
)  # fmt: skip


def kinds() -> Iterator[tuple[str, str, str]]:
    """The kind, a question, and a response to it that says nothing."""
    questions = cycle(QUESTIONS)
    for opening in ENGLISH:
        yield "English openings", next(questions), opening
    for openings in OTHERS.values():
        for opening in openings:
            yield "openings in other languages", next(questions), opening
    for frame in FRAMES:
        yield "blanks and frames", next(questions), frame
