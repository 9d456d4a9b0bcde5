# ruff: noqa: E501 - sentences of many languages
"""Openings without an answer for the seventh corpus: English ones, and the same kind in other languages."""

ENGLISH = """
Let me break this down for you.
Let me walk you through it.
Let me work this out one piece at a time.
Let me take a closer look at this.
Let me think for a moment.
Let's take it from the top.
Let's unpack the question first.
Let's dive in!
Let's dig in.
Let's get started.
Let's begin with the basics.
Let's work through this together.
Let's see what we have here.
Let us proceed carefully.
Let us consider the problem.
Okay, let me see.
Okay, so here goes.
Okay, here's the thing.
OK, I need to figure this out.
Alright, let's tackle this one.
Alright, here is my take:
All right then.
Right, so.
Well, let me think about that.
Well, this is an interesting one.
Hmm, good question.
Hmm, let me think...
So, to answer your question,
So, first things first:
Now, let's look at the details.
Now then, let's see.
Sure thing!
Sure, I can help with that.
Sure! Here's the full answer:
Of course! Happy to help.
Of course, here it is:
Certainly! Below is a detailed response.
Certainly. Please see below.
Absolutely! Let me explain.
Absolutely, here you go:
Definitely! Here's what you need to know:
Got it. Working on it now.
Got it!
Understood. Here is the solution.
Understood, I will answer below.
No problem, here's the answer.
With pleasure!
My pleasure. Here we go.
Gladly. Here's my answer:
Great question! Let me explain.
What a great question!
That's a really good question.
That is an excellent question, and I'm glad you asked.
Interesting question.
Good one! Let's see.
Thanks for asking!
Thank you for your question. Here is my response:
Thank you for reaching out.
I appreciate the question.
I'm happy to help with this.
I'd be glad to assist you with that.
I'd love to help!
I can certainly answer that.
I can help you with this question.
I will now answer the question.
I will answer your question step by step.
I'll explain everything in detail below.
I'll do my best to answer.
I'll start with a short overview.
I'm going to solve this problem now.
I am going to think this through carefully.
I think I know the answer.
I know exactly what you need.
I have carefully considered your question.
I have thought about this and here is my conclusion.
I've worked through the problem and found the answer.
I've got the answer for you.
I understand what you are asking.
I see what you mean.
Here's the answer you're looking for:
Here's how I would answer this:
Here's a step-by-step explanation:
Here's my reasoning:
Here is a comprehensive answer to your question:
Here is the correct answer.
Here is the final result.
Here are the steps:
Here you go!
Here we go.
Below is the answer.
Below you will find a complete explanation.
The answer is as follows:
The answer is:
The answer to your question is
The correct answer is the following.
The solution is given below.
The solution goes like this:
The final answer is
The final answer follows.
The following is a complete answer.
The explanation is below.
The result is shown here:
The reasoning is as follows.
My answer:
My answer is below.
My final answer is:
My response to this question is as follows:
My thought process is the following:
My conclusion:
Answer:
Final answer:
Final Answer
Solution:
Solution.
Step-by-step solution:
Step 1:
Step 1: Understand the question.
Step one
Steps:
Explanation:
Reasoning:
Thought:
Thoughts:
Thinking...
Thinking process:
Analysis:
Detailed analysis:
Summary:
Conclusion:
In conclusion,
In summary:
In short:
To sum up:
To summarize,
To begin with,
To start,
To answer this question, we need to look at it step by step.
To solve this problem, let's start by analyzing it.
To solve this, I will follow these steps:
To find the answer, we must think carefully.
To get to the answer we proceed as follows.
To address your question properly,
To be clear:
First,
First of all,
First, let me restate the problem.
First, I need to understand the question.
First we need to analyze what is being asked.
Firstly,
Before answering, let me think.
Before we begin, let me clarify the question.
Before I answer, some background.
As an AI language model,
As an AI assistant, I am here to help.
As requested, here is the answer.
As follows:
As you requested:
After careful consideration, here is my answer.
After thinking it over, I have an answer.
After analyzing the question, I can now respond.
Based on the question,
Based on my analysis, the answer is as follows.
Based on the information provided,
Given the question, I would answer as follows:
Given the above,
Thus, the answer is
Therefore, the answer is:
Therefore,
Hence the solution:
So the answer is
So the final answer is:
Finally, the answer.
Ready? Here it comes.
Ready when you are!
One moment please.
One moment, let me think.
Just a second.
Give me a moment to think about it.
Hold on, let me think.
Wait, let me reconsider.
Wait.
Please find the answer below.
Please see the explanation below.
Please read on for the answer.
Read on for the details.
See below.
See the answer below:
Question answered below.
Problem solved!
Done.
Done! The answer is above.
Task completed.
Task complete. See the result.
The task has been completed successfully.
Answer provided.
Response complete.
Hello! How can I help you today?
Hi there! Happy to help.
Hello, and thank you for your question.
Dear user, here is your answer.
Dear reader,
Welcome!
Good day! Let me answer your question.
I hope this helps!
Hope that helps.
Hope this answers your question!
Let me know if you need anything else.
Feel free to ask if you have more questions.
Is there anything else I can help you with?
This is a complex question that deserves a careful answer.
This question can be answered as follows.
This can be explained step by step.
This is how it works:
This is my answer.
It's simple, really.
It's actually quite easy to explain.
Sounds good! Let's do it.
Challenge accepted.
Consider it done.
Let the solution begin.
Proceeding to the answer.
Moving on to the solution.
Working through the steps now.
Starting with the analysis.
Breaking it down:
Quick answer:
Short answer:
Long answer:
TL;DR:
Response:
Output:
Result:
A:
""".strip().splitlines()

OTHERS = {
    "German": ("Schauen wir uns das einmal genauer an.", "Gerne beantworte ich deine Frage!", "Die Antwort lautet wie folgt:", "Ich gehe Schritt für Schritt vor.", "Gute Frage!", "Endergebnis:", "Hier kommt die Erklärung."),
    "French": ("Regardons cela de plus près.", "Avec plaisir, voici ma réponse :", "La réponse est la suivante :", "Je vais procéder étape par étape.", "Bonne question !", "Résultat final :", "Voici l'explication."),
    "Spanish": ("Veámoslo con más detalle.", "¡Con gusto respondo a tu pregunta!", "La respuesta es la siguiente:", "Voy a proceder paso a paso.", "¡Buena pregunta!", "Resultado final:", "Aquí está la explicación."),
    "Portuguese": ("Vamos ver isso mais de perto.", "Com prazer respondo à sua pergunta!", "A resposta é a seguinte:", "Vou proceder passo a passo.", "Boa pergunta!", "Resultado final:", "Aqui está a explicação."),
    "Italian": ("Guardiamo la cosa più da vicino.", "Rispondo volentieri alla tua domanda!", "La risposta è la seguente:", "Procedo passo dopo passo.", "Bella domanda!", "Risultato finale:", "Ecco la spiegazione."),
    "Dutch": ("Laten we dit eens nader bekijken.", "Graag beantwoord ik je vraag!", "Het antwoord luidt als volgt:", "Ik ga stap voor stap te werk.", "Goede vraag!", "Eindresultaat:", "Hier komt de uitleg."),
    "Swedish": ("Låt oss titta närmare på detta.", "Jag svarar gärna på din fråga!", "Svaret lyder som följer:", "Jag går steg för steg.", "Bra fråga!", "Slutresultat:", "Här kommer förklaringen."),
    "Danish": ("Lad os se nærmere på det.", "Jeg svarer gerne på dit spørgsmål!", "Svaret lyder som følger:", "Jeg går frem trin for trin.", "Godt spørgsmål!", "Slutresultat:"),
    "Norwegian": ("La oss se nærmere på dette.", "Jeg svarer gjerne på spørsmålet ditt!", "Svaret er som følger:", "Jeg går frem steg for steg.", "Godt spørsmål!"),
    "Finnish": ("Katsotaanpa tätä tarkemmin.", "Vastaan mielelläni kysymykseesi!", "Vastaus on seuraava:", "Etenen vaihe vaiheelta.", "Hyvä kysymys!", "Lopputulos:"),
    "Icelandic": ("Skoðum þetta nánar.", "Ég svara spurningunni þinni með ánægju!", "Svarið er eftirfarandi:", "Góð spurning!"),
    "Polish": ("Przyjrzyjmy się temu bliżej.", "Chętnie odpowiem na twoje pytanie!", "Odpowiedź brzmi następująco:", "Postępuję krok po kroku.", "Dobre pytanie!", "Wynik końcowy:"),
    "Czech": ("Podívejme se na to blíže.", "Rád odpovím na tvou otázku!", "Odpověď zní následovně:", "Postupuji krok za krokem.", "Dobrá otázka!"),
    "Slovak": ("Pozrime sa na to bližšie.", "Rád odpoviem na tvoju otázku!", "Odpoveď znie nasledovne:", "Dobrá otázka!"),
    "Hungarian": ("Nézzük meg ezt közelebbről.", "Szívesen válaszolok a kérdésedre!", "A válasz a következő:", "Lépésről lépésre haladok.", "Jó kérdés!"),
    "Romanian": ("Să ne uităm mai atent.", "Răspund cu plăcere la întrebarea ta!", "Răspunsul este următorul:", "Procedez pas cu pas.", "Bună întrebare!"),
    "Greek": ("Ας το δούμε πιο προσεκτικά.", "Ευχαρίστως απαντώ στην ερώτησή σου!", "Η απάντηση είναι η εξής:", "Προχωρώ βήμα προς βήμα.", "Καλή ερώτηση!"),
    "Russian": ("Давайте посмотрим на это внимательнее.", "С радостью отвечу на ваш вопрос!", "Ответ следующий:", "Буду действовать шаг за шагом.", "Хороший вопрос!", "Окончательный результат:", "А вот и объяснение."),
    "Ukrainian": ("Погляньмо на це уважніше.", "Охоче відповім на ваше запитання!", "Відповідь така:", "Діятиму крок за кроком.", "Гарне запитання!"),
    "Bulgarian": ("Нека разгледаме това по-внимателно.", "С удоволствие ще отговоря на въпроса ти!", "Отговорът е следният:", "Добър въпрос!"),
    "Serbian": ("Погледајмо ово пажљивије.", "Радо ћу одговорити на твоје питање!", "Одговор гласи:", "Добро питање!"),
    "Croatian": ("Pogledajmo to pobliže.", "Rado ću odgovoriti na tvoje pitanje!", "Odgovor glasi ovako:", "Dobro pitanje!"),
    "Slovenian": ("Poglejmo to podrobneje.", "Z veseljem odgovorim na tvoje vprašanje!", "Odgovor se glasi:", "Dobro vprašanje!"),
    "Lithuanian": ("Pažvelkime į tai atidžiau.", "Mielai atsakysiu į tavo klausimą!", "Atsakymas yra toks:", "Geras klausimas!"),
    "Latvian": ("Aplūkosim to tuvāk.", "Labprāt atbildēšu uz tavu jautājumu!", "Atbilde ir šāda:", "Labs jautājums!"),
    "Estonian": ("Vaatame seda lähemalt.", "Vastan hea meelega sinu küsimusele!", "Vastus on järgmine:", "Hea küsimus!"),
    "Turkish": ("Buna daha yakından bakalım.", "Sorunuzu memnuniyetle yanıtlıyorum!", "Cevap şöyledir:", "Adım adım ilerliyorum.", "Güzel soru!", "Nihai sonuç:"),
    "Azerbaijani": ("Gəlin buna daha yaxından baxaq.", "Sualınıza məmnuniyyətlə cavab verirəm!", "Cavab belədir:", "Yaxşı sualdır!"),
    "Arabic": ("دعونا ننظر في هذا عن قرب.", "يسعدني أن أجيب عن سؤالك!", "الجواب كما يلي:", "سأمضي خطوة بخطوة.", "سؤال جيد!", "النتيجة النهائية:"),
    "Persian": ("بیایید دقیق‌تر نگاه کنیم.", "با خوشحالی به سؤال شما پاسخ می‌دهم!", "پاسخ به شرح زیر است:", "قدم به قدم پیش می‌روم.", "سؤال خوبی است!"),
    "Urdu": ("آئیے اسے غور سے دیکھتے ہیں۔", "میں خوشی سے آپ کے سوال کا جواب دیتا ہوں!", "جواب درج ذیل ہے:", "اچھا سوال ہے!"),
    "Hebrew": ("בואו נסתכל על זה מקרוב.", "אשמח לענות על השאלה שלך!", "התשובה היא כדלקמן:", "אתקדם צעד אחר צעד.", "שאלה טובה!"),
    "Hindi": ("आइए इसे ध्यान से देखते हैं।", "मुझे आपके प्रश्न का उत्तर देने में खुशी होगी!", "उत्तर इस प्रकार है:", "मैं चरण दर चरण आगे बढ़ता हूँ।", "अच्छा सवाल है!"),
    "Bengali": ("চলুন বিষয়টা ভালো করে দেখি।", "আপনার প্রশ্নের উত্তর দিতে পেরে আমি খুশি!", "উত্তরটি নিম্নরূপ:", "ভালো প্রশ্ন!"),
    "Tamil": ("இதை உற்றுப் பார்ப்போம்.", "உங்கள் கேள்விக்கு மகிழ்ச்சியுடன் பதிலளிக்கிறேன்!", "பதில் பின்வருமாறு:", "நல்ல கேள்வி!"),
    "Telugu": ("దీన్ని నిశితంగా చూద్దాం.", "మీ ప్రశ్నకు సంతోషంగా సమాధానం ఇస్తాను!", "సమాధానం ఈ విధంగా ఉంది:", "మంచి ప్రశ్న!"),
    "Marathi": ("चला हे नीट पाहूया.", "तुमच्या प्रश्नाचे उत्तर द्यायला मला आवडेल!", "उत्तर पुढीलप्रमाणे आहे:", "चांगला प्रश्न!"),
    "Chinese": ("让我们仔细看看这个问题。", "很高兴为您解答!", "答案如下:", "我会一步一步来分析。", "好问题!", "最终结果:", "下面是详细说明。"),
    "Traditional Chinese": ("讓我們仔細看看這個問題。", "很樂意為您解答!", "答案如下:", "我會一步一步來說明。", "好問題!"),
    "Japanese": ("では、詳しく見ていきましょう。", "喜んでお答えします!", "答えは次のとおりです:", "順を追って考えます。", "いい質問ですね!", "最終結果:", "以下に説明します。"),
    "Korean": ("자세히 살펴보겠습니다.", "기꺼이 답변해 드리겠습니다!", "정답은 다음과 같습니다:", "차근차근 생각해 봅시다.", "좋은 질문이에요!", "최종 결과:"),
    "Vietnamese": ("Hãy cùng xem xét kỹ hơn.", "Tôi rất sẵn lòng trả lời câu hỏi của bạn!", "Câu trả lời như sau:", "Tôi sẽ làm từng bước một.", "Câu hỏi hay!"),
    "Thai": ("มาดูเรื่องนี้ให้ละเอียดกันเถอะ", "ยินดีตอบคำถามของคุณครับ", "คำตอบมีดังนี้:", "คำถามที่ดีมาก!"),
    "Indonesian": ("Mari kita lihat lebih dekat.", "Dengan senang hati saya menjawab pertanyaan Anda!", "Jawabannya adalah sebagai berikut:", "Pertanyaan bagus!"),
    "Filipino": ("Tingnan natin ito nang mabuti.", "Ikinagagalak kong sagutin ang tanong mo!", "Ang sagot ay ang sumusunod:", "Magandang tanong!"),
    "Swahili": ("Hebu tuangalie hili kwa makini.", "Nitafurahi kujibu swali lako!", "Jibu ni kama ifuatavyo:", "Swali zuri!"),
    "Afrikaans": ("Kom ons kyk van naderby hierna.", "Ek antwoord graag jou vraag!", "Die antwoord is soos volg:", "Goeie vraag!"),
    "Catalan": ("Mirem-ho més de prop.", "Responc amb molt de gust la teva pregunta!", "La resposta és la següent:", "Bona pregunta!"),
    "Basque": ("Ikus dezagun hau gertuagotik.", "Gustura erantzungo diot zure galderari!", "Erantzuna honako hau da:", "Galdera ona!"),
    "Welsh": ("Gadewch i ni edrych yn fanylach ar hyn.", "Byddaf yn falch o ateb eich cwestiwn!", "Mae'r ateb fel a ganlyn:", "Cwestiwn da!"),
    "Irish": ("Féachaimis níos géire air seo.", "Freagróidh mé do cheist go fonnmhar!", "Seo a leanas an freagra:", "Ceist mhaith!"),
    "Albanian": ("Le ta shohim më nga afër.", "I përgjigjem me kënaqësi pyetjes suaj!", "Përgjigjja është si më poshtë:", "Pyetje e mirë!"),
    "Georgian": ("მოდით, ამას უფრო ახლოს შევხედოთ.", "სიამოვნებით გიპასუხებთ შეკითხვაზე!", "პასუხი ასეთია:", "კარგი კითხვაა!"),
    "Armenian": ("Եկեք սա ավելի մոտիկից նայենք։", "Սիրով կպատասխանեմ ձեր հարցին։", "Պատասխանը հետևյալն է՝", "Լավ հարց է։"),
    "Kazakh": ("Осыған мұқият қарайық.", "Сұрағыңызға қуана жауап беремін!", "Жауабы мынадай:", "Жақсы сұрақ!"),
    "Amharic": ("ይህንን በቅርበት እንመልከት።", "ለጥያቄዎ በደስታ እመልሳለሁ!", "መልሱ እንደሚከተለው ነው፦", "ጥሩ ጥያቄ ነው!"),
    "Khmer": ("តោះមើលរឿងនេះឱ្យបានលម្អិត។", "ខ្ញុំរីករាយឆ្លើយសំណួររបស់អ្នក!", "ចម្លើយមានដូចខាងក្រោម៖"),
    "Burmese": ("ဒါကို အသေးစိတ် ကြည့်ကြရအောင်။", "သင့်မေးခွန်းကို ဝမ်းမြောက်စွာ ဖြေပါမယ်။", "အဖြေမှာ အောက်ပါအတိုင်းဖြစ်သည်။"),
    "Latin": ("Videamus hoc propius.", "Libenter ad quaestionem tuam respondeo!", "Responsum est hoc:"),
    "Esperanto": ("Ni rigardu tion pli proksime.", "Mi volonte respondas vian demandon!", "La respondo estas jena:", "Bona demando!"),
}  # fmt: skip
