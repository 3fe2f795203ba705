"""Invented people, firms and addresses of a few countries: common names, made-up street numbers, telephone numbers and mailboxes reserved
for examples."""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple


class Place(NamedTuple):
    """A country's stock of names: ``postcodes`` are patterns, ``#`` a digit and ``@`` a capital letter."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    streets: tuple[str, ...]
    cities: tuple[tuple[str, str, str], ...]
    number_first: bool
    phone: str


class Person(NamedTuple):
    """One invented person or firm with an address."""

    name: str
    street: str
    city: str
    region: str
    postcode: str
    country: str
    phone: str
    email: str


# country: given names, family names, streets, (city, region, postcode pattern), number before the street?, telephone pattern
PLACES: Final[dict[str, Place]] = {
    "NL": Place(
        ("Marieke", "Sanne", "Daan", "Bram", "Lotte", "Joris", "Femke", "Ruben", "Anouk", "Thijs"),
        ("de Vries", "Jansen", "van Dijk", "Bakker", "Visser", "Smit", "Mulder", "de Boer", "Dekker", "Hendriks"),
        ("Loosduinseweg", "Kerkstraat", "Prinsengracht", "Oudegracht", "Stationsweg", "Molenlaan", "Julianastraat"),
        (("Den Haag", "", "257# @@"), ("Amsterdam", "", "101# @@"), ("Utrecht", "", "351# @@"), ("Rotterdam", "", "301# @@")),
        False,
        "+3170555####",
    ),
    "DE": Place(
        ("Anna", "Jonas", "Lena", "Felix", "Katrin", "Matthias", "Sabine", "Paul", "Jürgen", "Miriam"),
        ("Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Wagner", "Becker", "Hoffmann", "Schäfer", "Koch"),
        ("Hauptstraße", "Bahnhofstraße", "Gartenweg", "Lindenallee", "Schillerstraße", "Am Markt", "Rosenweg"),
        (("Berlin", "", "101##"), ("Hamburg", "", "203##"), ("Köln", "", "506##"), ("Leipzig", "", "041##")),
        False,
        "+4930555####",
    ),
    "FR": Place(
        ("Camille", "Louis", "Manon", "Hugo", "Élodie", "Lucas", "Chloé", "Mathieu", "Inès", "Théo"),
        ("Martin", "Bernard", "Dubois", "Petit", "Durand", "Leroy", "Moreau", "Lefèvre", "Roux", "Garnier"),
        ("rue de la République", "avenue Victor Hugo", "rue des Lilas", "boulevard Voltaire", "rue du Moulin"),
        (("Paris", "", "7501#"), ("Lyon", "", "6900#"), ("Lille", "", "59##0"), ("Nantes", "", "44##0")),
        True,
        "+3315555####",
    ),
    "BE": Place(
        ("Marie", "Jan", "Sofie", "Pieter", "Julie", "Wout", "Céline", "Koen", "An", "Luc"),
        ("Peeters", "Janssens", "Maes", "Jacobs", "Willems", "Claes", "Dupont", "Lambert", "Goossens", "Wouters"),
        ("Kerkstraat", "Stationsstraat", "rue Haute", "chaussée de Namur", "Molenstraat", "rue du Centre"),
        (("Liège", "", "40#0"), ("Gent", "", "90##"), ("Antwerpen", "", "20##"), ("Namur", "", "50#0")),
        False,
        "+322555####",
    ),
    "IT": Place(
        ("Giulia", "Marco", "Chiara", "Luca", "Francesca", "Matteo", "Elena", "Davide"),
        ("Rossi", "Russo", "Ferrari", "Esposito", "Bianchi", "Romano", "Colombo", "Ricci"),
        ("Via Roma", "Via Garibaldi", "Corso Italia", "Via Dante", "Via Verdi"),
        (("Milano", "MI", "201##"), ("Torino", "TO", "101##"), ("Bologna", "BO", "401##")),
        False,
        "+3902555####",
    ),
    "ES": Place(
        ("Lucía", "Pablo", "María", "Álvaro", "Carmen", "Javier", "Elena", "Diego"),
        ("García", "Fernández", "González", "Rodríguez", "López", "Martínez", "Sánchez", "Núñez"),
        ("Calle Mayor", "Calle del Carmen", "Avenida de la Constitución", "Calle Real", "Paseo del Prado"),
        (("Madrid", "", "280##"), ("Sevilla", "", "410##"), ("Valencia", "", "460##")),
        False,
        "+3491555####",
    ),
    "PL": Place(
        ("Agnieszka", "Piotr", "Katarzyna", "Tomasz", "Magdalena", "Paweł", "Zofia", "Michał"),
        ("Nowak", "Kowalska", "Wiśniewski", "Wójcik", "Kamińska", "Lewandowski", "Zieliński", "Dąbrowska"),
        ("ul. Polna", "ul. Leśna", "ul. Słoneczna", "ul. Krótka", "ul. Szkolna"),
        (("Warszawa", "", "00-###"), ("Kraków", "", "30-###"), ("Gdańsk", "", "80-###")),
        False,
        "+4822555####",
    ),
    "US": Place(
        ("Emily", "James", "Olivia", "Noah", "Grace", "Ethan", "Ava", "Logan"),
        ("Parker", "Bennett", "Collins", "Reed", "Foster", "Hayes", "Brooks", "Sullivan"),
        ("Vineland Avenue", "Oak Street", "Maple Drive", "Sunset Boulevard", "Lake Road", "Harbor Way", "Cedar Lane"),
        (("Los Angeles", "CA", "916##"), ("Portland", "OR", "972##"), ("Austin", "TX", "787##"), ("Chicago", "IL", "606##")),
        True,
        "+1323555####",
    ),
    "CN": Place(
        ("Wei", "Li Na", "Jun", "Xiaoming", "Yan", "Hao"),
        ("Zhang", "Wang", "Liu", "Chen", "Yang", "Huang"),
        ("Fuhua Road", "Longhua Avenue", "Renmin Road", "Binjiang Road"),
        (("Shenzhen", "Guangdong", "5180##"), ("Guangzhou", "Guangdong", "5100##"), ("Yiwu", "Zhejiang", "3220##")),
        True,
        "+86755555####",
    ),
}

_FIRM_HEADS: Final = (
    "Oak River",
    "Blue Heron",
    "North Pier",
    "Bright Loom",
    "Copper Kettle",
    "Aurora",
    "Golden Crane",
    "Silver Birch",
    "Red Maple",
)
_FIRM_TAILS: Final = {"US": ("Supply LLC", "Goods Inc", "Trading LLC", "Studio Inc"), "CN": ("Trading Co Ltd", "Technology Co Ltd")}


def filled(pattern: str, random: Random) -> str:
    """Return *pattern* with a digit for each ``#`` and a capital letter for each ``@``."""
    return "".join(random.choice("0123456789") if c == "#" else random.choice("ABCDEGHJKLMNPRSTVWXZ") if c == "@" else c for c in pattern)


def a_person(country: str, random: Random) -> Person:
    """Return an invented natural person of *country*."""
    place = PLACES[country]
    given, family = random.choice(place.given), random.choice(place.family)
    return _at(f"{given} {family}", f"contact{random.randrange(10_000)}@example.{country.lower()}", country, place, random)


def a_firm(country: str, random: Random) -> Person:
    """Return an invented firm of *country* (US or CN)."""
    name = f"{random.choice(_FIRM_HEADS)} {random.choice(_FIRM_TAILS[country])}"
    return _at(name, f"ship@{name.split()[0].lower()}.example", country, PLACES[country], random)


def _at(name: str, email: str, country: str, place: Place, random: Random) -> Person:
    street, number = random.choice(place.streets), random.randint(1, 240)
    city, region, postcode = random.choice(place.cities)
    return Person(
        name=name,
        street=f"{number} {street}" if place.number_first else f"{street} {number}",
        city=city,
        region=region,
        postcode=filled(postcode, random),
        country=country,
        phone=filled(place.phone, random),
        email=email,
    )
