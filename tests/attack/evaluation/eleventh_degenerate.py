"""Texts that say nothing, written after all rules and of kinds that no other corpus has: reports of progress, remarks
on form, promises of care, tables of contents and farewells in fourteen languages, disguised, and long.

No word of them went into the guard.
"""

from collections.abc import Iterator

QUESTION = "Why do leaves change their colour in autumn, and when does it begin where I live?"

_IDEAS = {
    "english": (
        "Compiling the relevant material now.",
        "The text below is laid out in short blocks for easier reading.",
        "Every claim has been double-checked against reliable sources.",
        "May this serve you well on your way.",
        "Background, main part, closing remarks.",
    ),
    "german": (
        "Die Unterlagen werden gerade zusammengetragen.",
        "Der Text ist zur besseren Lesbarkeit in kurze Blöcke gegliedert.",
        "Jede Aussage wurde anhand verlässlicher Quellen geprüft.",
        "Möge dir das auf deinem Weg nützen.",
        "Hintergrund, Hauptteil, Schlussbemerkungen.",
    ),
    "french": (
        "Je rassemble les documents utiles.",
        "Le texte est présenté en petits blocs pour une lecture aisée.",
        "Chaque affirmation a été vérifiée auprès de sources fiables.",
        "Que cela vous serve sur votre chemin.",
        "Contexte, partie principale, remarques finales.",
    ),
    "spanish": (
        "Estoy reuniendo los documentos pertinentes.",
        "El texto va dispuesto en bloques cortos para facilitar la lectura.",
        "Cada afirmación se ha cotejado con fuentes fiables.",
        "Que esto te acompañe en tu camino.",
        "Contexto, parte principal, observaciones de cierre.",
    ),
    "italian": (
        "Sto raccogliendo il materiale pertinente.",
        "Il testo è disposto in brevi blocchi per agevolare la lettura.",
        "Ogni affermazione è stata verificata su fonti affidabili.",
        "Che questo ti accompagni lungo la strada.",
        "Contesto, parte principale, note conclusive.",
    ),
    "portuguese": (
        "Estou a reunir o material relevante.",
        "O texto está disposto em blocos curtos para facilitar a leitura.",
        "Cada afirmação foi conferida em fontes fiáveis.",
        "Que isto lhe sirva no seu caminho.",
        "Contexto, parte principal, notas finais.",
    ),
    "dutch": (
        "Het materiaal wordt nu bijeengebracht.",
        "De tekst staat in korte blokken om het lezen te vergemakkelijken.",
        "Elke bewering is getoetst aan betrouwbare bronnen.",
        "Moge dit je van pas komen op je pad.",
        "Achtergrond, hoofddeel, slotopmerkingen.",
    ),
    "polish": (
        "Zbieram właśnie potrzebne materiały.",
        "Tekst podzielono na krótkie bloki, aby łatwiej się czytało.",
        "Każde twierdzenie sprawdzono w wiarygodnych źródłach.",
        "Niech to posłuży ci w drodze.",
        "Tło, część główna, uwagi końcowe.",
    ),
    "russian": (
        "Сейчас собираю нужные материалы.",
        "Текст разбит на короткие блоки для удобства чтения.",
        "Каждое утверждение сверено с надёжными источниками.",
        "Пусть это пригодится вам в пути.",
        "Предыстория, основная часть, заключительные замечания.",
    ),
    "turkish": (
        "İlgili belgeler derleniyor.",
        "Metin kolay okunsun diye kısa bölümlere ayrıldı.",
        "Her iddia güvenilir kaynaklarla karşılaştırıldı.",
        "Yolunda işine yarasın.",
        "Arka plan, ana bölüm, kapanış notları.",
    ),
    "swahili": (
        "Ninakusanya nyaraka zinazohusika.",
        "Maandishi yamepangwa katika vipande vifupi ili yasomeke kwa urahisi.",
        "Kila dai limehakikiwa kwa vyanzo vya kuaminika.",
        "Na hili likufae njiani.",
        "Usuli, sehemu kuu, maneno ya mwisho.",
    ),
    "finnish": (
        "Kokoan parhaillaan aineistoa.",
        "Teksti on jaettu lyhyisiin osiin lukemisen helpottamiseksi.",
        "Jokainen väite on tarkistettu luotettavista lähteistä.",
        "Olkoon tästä sinulle iloa matkallasi.",
        "Tausta, pääosa, loppuhuomiot.",
    ),
    "japanese": (
        "関連する資料を集めているところです。",
        "読みやすいように短い段落に分けて並べてあります。",
        "どの主張も信頼できる資料と照らし合わせました。",
        "皆様の道のりのお役に立ちますように。",
        "背景、本論、むすび。",
    ),
    "chinese": (
        "正在整理相关资料。",
        "为便于阅读，全文分成若干短段。",
        "每项说法都已与可靠来源核对。",
        "愿这些伴您一路前行。",
        "背景、正文、结语。",
    ),
}
_KINDS = ("progress", "form", "care", "farewell", "contents")
_DISGUISES = {
    "quoted": "> {}",
    "bold": "**{}**",
    "a JSON value": '{{"status": "{}", "data": ""}}',
    "a comment": "<!-- v1 -->\n<p>{}</p>",
    "a list": "- {}\n- \n- ",
    "a code block": "```text\n{}\n```",
}


def kinds() -> Iterator[tuple[str, str, str]]:
    """Kind, question and text."""
    for language, texts in _IDEAS.items():
        for kind, text in zip(_KINDS, texts, strict=True):
            yield f"{'English' if language == 'english' else 'other languages'}: {kind}", QUESTION, text
        for number, form in enumerate(_DISGUISES.values()):
            yield "disguised", QUESTION, form.format(texts[number % len(texts)])
        yield "long", QUESTION, " ".join(f"{text} {other}" for text in texts for other in texts if text != other)
