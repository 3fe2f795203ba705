"""Goods as shops sell them: a description that customs accepts, the HS code it belongs to, origin, mass and price of one piece."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Final, NamedTuple


class Article(NamedTuple):
    """One article. ``grams`` and ``cents`` are of one piece; the price moves by a fifth around it."""

    description: str
    hs_code: str
    origin: str
    grams: int
    cents: int


class Line(NamedTuple):
    """One line of goods; mass and amount are totals of the line."""

    description: str
    hs_code: str
    origin: str
    quantity: int
    net_mass_kg: Decimal
    amount: Decimal


# description, HS 2022 subheading, origin, grams, price in cents
ARTICLES: Final = tuple(
    Article(*row)
    for row in (
        ("Men's knitted cotton T-shirt, short sleeve", "610910", "BD", 150, 1999),
        ("Ladies' knitted T-shirt, polyester", "610990", "VN", 140, 1799),
        ("Knitted cotton jersey with long sleeves, adult", "611020", "TR", 420, 3900),
        ("Men's cotton denim trousers", "620342", "MX", 650, 4950),
        ("Running shoes, textile upper, rubber sole, adult", "640419", "VN", 700, 6400),
        ("Stoneware coffee mug, 350 ml", "691200", "US", 420, 1450),
        ("Leather wallet for cards, bovine leather", "420231", "US", 110, 3400),
        ("Shoulder bag of cotton canvas", "420222", "IN", 480, 2900),
        ("Wireless in-ear headphones with charging case, lithium-ion cell contained in equipment", "851830", "CN", 90, 4200),
        ("Power bank, lithium-ion, 37 Wh", "850760", "CN", 230, 2600),
        ("USB-C wall charger, 30 W", "850440", "CN", 120, 1900),
        ("Face cream with hyaluronic acid, 50 ml", "330499", "KR", 95, 2150),
        ("Hair shampoo with argan oil, 250 ml", "330510", "US", 290, 1250),
        ("Plastic construction bricks for children from 4 years", "950300", "CN", 600, 3499),
        ("Printed novel, paperback", "490199", "US", 310, 1399),
        ("Silver 925 ring with cubic zirconia", "711311", "TH", 12, 4500),
        ("Necklace of gold-coloured base metal, imitation jewellery", "711719", "CN", 30, 1299),
        ("Quartz wrist watch with steel strap", "910211", "CN", 110, 5900),
        ("Stainless steel saucepan with lid, 2 litres", "732393", "IN", 1250, 3800),
        ("Set of plastic food boxes with lids", "392410", "US", 540, 1750),
        ("Cotton terry bath towel, 70 x 140 cm", "630260", "TR", 520, 1850),
        ("Photovoltaic garden lights with LED, set of four", "940541", "CN", 780, 2400),
        ("Dark chocolate bars with sea salt, retail pack 100 g", "180690", "US", 110, 450),
        ("Roasted coffee beans, retail bag 250 g", "090121", "CO", 265, 1150),
        ("Yoga mat of natural rubber", "950691", "IN", 1600, 4800),
        ("Polarised sunglasses, plastic frame", "900410", "IT", 60, 3700),
        ("Notebook with ruled pages, hard cover, A5", "482010", "US", 320, 990),
        ("Water colour paint set with brush, 24 colours", "321310", "JP", 260, 2100),
        ("Knitted wool hat, adult", "650500", "US", 90, 2300),
        ("Video game controller, wireless", "950450", "CN", 280, 5400),
    )
)

# What meets a rule of its own: a vague description, and arms.
VAGUE: Final = Article("gift", "950300", "CN", 300, 2000)
ARMS: Final = Article("Hunting cartridges, centre fire, calibre .308", "930630", "US", 480, 3600)
DEAR: Final = Article("Laptop computer, 14 inch, 16 GB memory", "847130", "CN", 1500, 119900)


def a_line(article: Article, random: Random) -> Line:
    """Return one to three pieces of *article*."""
    quantity = random.choice((1, 1, 1, 2, 2, 3))
    cents = article.cents * random.randint(80, 120) // 100
    return Line(
        article.description,
        article.hs_code,
        article.origin,
        quantity,
        (Decimal(article.grams * quantity) / 1000).quantize(Decimal("0.001")),
        (Decimal(cents * quantity) / 100).quantize(Decimal("0.01")),
    )


def some_lines(random: Random, at_most: int = 3) -> tuple[Line, ...]:
    """Return one to *at_most* lines of different articles."""
    return tuple(a_line(article, random) for article in random.sample(ARTICLES, random.randint(1, at_most)))
