"""Articles for the kept result: nine languages, a finding of every kind, and what is odd about input."""

from __future__ import annotations

from dedup.model import Document, Skipped, Source

_FERRY = """\
The last ferry of the season left the island on Sunday with forty passengers and one goat.
The harbour master said that the line had carried more people than in any year since the war,
and that the boat would be painted before it came back in April.
"""

_NOTE = "Readers who find a mistake in this article may write to the desk, which answers within two days."

_REFRAIN = "Row, row to the island, and back before the rain.\n"

TEXTS = {
    "ferry": _FERRY,
    "ferry-again": _FERRY,
    "ferry-edited": _FERRY.replace("forty passengers", "FORTY passengers").replace("people", "travellers"),
    "ferry-inside": f"From our correspondent.\n\n{_FERRY}\nThe goat, it was learned, belongs to the baker, who\r\n"
    "had taken it along for company and paid half the fare for it. It did not mind the waves at all.\n",
    "library": "The reading room opens again after eleven years. The architect Ida Holm said that the roof no\n"
    "longer leaks and that the lamps of 1911 burn again. There is room for two hundred readers now.\n\n"
    "Ida Holm, the architect, said the roof no longer leaks and that the lamps of 1911 burn again.\n\n" + _NOTE,
    "bridge": f"Engineers began to test the new bridge with forty lorries of gravel.\n\n{_NOTE.upper()}\n",
    "brücke": "Die alte Brücke über die Aare bleibt bis auf weiteres für schwere Fahrzeuge gesperrt, teilte\n"
    "die Gemeinde am Montag mit. Fußgänger dürfen weiterhin hinüber.\n",
    "strasse": "WIE GEMELDET: DIE ALTE BRÜCKE ÜBER DIE AARE BLEIBT BIS AUF WEITERES FÜR SCHWERE FAHRZEUGE\n"
    "GESPERRT, TEILTE DIE GEMEINDE AM MONTAG MIT. Sonst gab es nichts Neues.\n",
    "marché": "L’office du tourisme a annoncé que l’entrée du marché couvert resterait gratuite jusqu’à la fin\n"
    "de l’été. Les oﬃciels s’en réjouissent.\n",
    "marche\u0301": "On l'apprend aujourd'hui : l'office du tourisme a annonce\u0301 que l'entre\u0301e\n"
    "du marche\u0301 couvert resterait gratuite jusqu'a\u0300 la fin de l'e\u0301te\u0301, sauf le lundi.\n",
    "桥": "本报讯：新桥全长二千三百米，预计明年六月通车，届时两岸往来只需十五分钟。市民表示期待。",
    "橋梁": "工程师说，新桥全长二千三百米，预计明年六月通车，届时两岸往来只需１５分钟。",
    "図書館": "市立図書館は来月から開館時間を二時間延長すると発表した。ｶﾞｲﾄﾞもある。",
    "としょかん": "発表によると、市立図書館は来月から開館時間を二時間延長すると発表した。ガイドもいる。",
    "ห้องสมุด": "ห้องสมุดประชาชนจะเปิดให้บริการถึงสองทุ่มทุกวัน ไม่เว้นวันหยุดราชการ",
    "ห้องสมุด-2": "ข่าว: ห้องสมุดประชาชนจะเปิดให้บริการถึงสองทุ่มทุกวัน ไม่เว้นวันหยุดราชการจันทร์",
    "पुस्तकालय": "नगर पुस्तकालय अब शाम आठ बजे तक खुला रहेगा और बच्चों के लिए नई किताबें आएँगी।",
    "पुस्तकालय-2": "सूचना: नगर पुस्तकालय अब शाम आठ बजे तक खुला रहेगा और बच्चों के लिए नई किताबें आएँगी, ऐसा कहा गया।",
    "song": f"A song for the crossing\n\n{_REFRAIN * 12}\nIt has no other words.\n",
    "empty": "",
    "dots": "… — !\n",
    "odd": "\ud800 a lone surrogate, a \x00 and 😀 in one short text \U000e0100",
    "short": "Correction",
    "short-again": "CORRECTION!",
}  # fmt: skip

DOCUMENTS: list[Document | Skipped] = [
    *(
        Document(name, text, Source("articles.jsonl", i + 1, 100 * i))
        for i, (name, text) in enumerate(TEXTS.items())
    ),
    Skipped("broken.txt", "not UTF-8: byte 0xff at offset 7"),
]
