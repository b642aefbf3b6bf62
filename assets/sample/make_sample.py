"""Makes prospects.csv and seeds.csv: invented people and businesses, the same ones on every run.

Run it in this folder (`python3 make_sample.py`); it needs nothing but Python. Every domain is a reserved one and every phone number
ends in 555-01xx, so no real person can be reached by accident. The blemishes (addresses missing, written twice or broken, names
missing, three rows with a cell too many) are on purpose: they show what the program does about them.
"""

import csv
import random

COLUMNS = [
    "id", "First Name", "Last Name", "Email", "Phone", "Company", "Job Title", "Industry", "Website", "Street", "City", "State",
    "Zip", "Country", "Employees", "Revenue", "Lead Score", "Why", "Tags", "Notes",
]
SEED_COLUMNS = [name for name in COLUMNS if name not in ("Lead Score", "Why")]

FIRST = """Dana Marcus Priya Elena Tyrone Grace Hector Lin Aisha Robert Kayla Samuel Naomi Victor Bianca Omar Ruth Desmond Carla Wesley
Ingrid Malik Teresa Joel Amara Nathan Leticia Curtis Hana Gordon Rosa Terrence Mei Colin Yolanda Brent Farah Dwight Simone Ernesto
Paula Raj Vivian Keith Lucia Andre Beth Miguel Shauna Todd Fatima Glenn Noor Patrick Xiomara Ryan Celeste Ivan Joanna Felix""".split()
LAST = """Whitfield Okafor Raman Castellanos Brooks Huang Delgado Novak Hassan Pruitt Sandoval Mercer Feldman Oyelaran Barrios Lindqvist
Tran Kessler Boyd Quintero Abernathy Siddiqui Kowalski Fontaine Reyes Haggerty Nakamura Villarreal Stroud Mbeki Carrigan Dominguez
Patel Holloway Bergstrom Ocampo Thibodeaux Yoon Garrison Espinoza Calloway Ferreira Dalton Iyer McBride Salinas Vance Zhou Tillman
Esquivel Radford Gallo Petrov Hutchins Amador Lindsay Chaudhry Weatherby Montoya Ellison""".split()
ACCENTED_FIRST = ["José", "Zoë", "Renée", "Søren", "Łukasz", "André", "Núria", "Jürgen", "Chloé", "Ángel"]
ACCENTED_LAST = ["Peña", "Muñoz", "Lefèvre", "Ødegård", "Wójcik", "Gonçalves", "Krüger", "D'Amico", "O'Neill", "Nuñez-Ortiz"]
CJK = [
    ("美咲", "田中", "misaki.tanaka", "田中不動産", "Osaka", "JP"), ("健", "鈴木", "ken.suzuki", "鈴木歯科医院", "Tokyo", "JP"),
    ("伟", "王", "wei.wang", "王氏地产", "Shanghai", "CN"), ("芳", "李", "fang.li", "李芳口腔诊所", "Shenzhen", "CN"),
    ("지우", "김", "jiwoo.kim", "김부동산", "Busan", "KR"), ("민준", "박", "minjun.park", "박치과", "Seoul", "KR"),
]

# city, state, first three digits of the postal code, area code
CITIES = [
    ("Austin", "TX", "787", "512"), ("Houston", "TX", "770", "713"), ("Dallas", "TX", "752", "214"), ("San Antonio", "TX", "782", "210"),
    ("Fort Worth", "TX", "761", "817"), ("El Paso", "TX", "799", "915"), ("Plano", "TX", "750", "972"), ("Round Rock", "TX", "786", "512"),
    ("Denver", "CO", "802", "303"), ("Phoenix", "AZ", "850", "602"), ("Tulsa", "OK", "741", "918"), ("Atlanta", "GA", "303", "404"),
    ("Tampa", "FL", "336", "813"), ("Orlando", "FL", "328", "407"), ("Nashville", "TN", "372", "615"), ("Charlotte", "NC", "282", "704"),
    ("Columbus", "OH", "432", "614"), ("Chicago", "IL", "606", "312"), ("Portland", "OR", "972", "503"), ("Sacramento", "CA", "958", "916"),
    ("Las Vegas", "NV", "891", "702"), ("Boise", "ID", "837", "208"), ("Newark", "NJ", "071", "973"), ("New Orleans", "LA", "701", "504"),
]
STREETS = "Maple Congress Lamar Pecan Harbor Mission Juniper Travis Alameda Sycamore Depot Commerce Guadalupe Foundry Lakeview Cedar".split()
STREET_KINDS = ["St", "Ave", "Blvd", "Ln", "Rd", "Pkwy"]

# industry: how often, how much more often among the seeds, nouns of its companies, titles
INDUSTRIES = {
    "Dental": (15, 4.1, ["Dental Group", "Family Dentistry", "Smiles", "Orthodontics"], ["Practice Owner", "Office Manager", "Dentist"]),
    "Real Estate": (17, 3.2, ["Homes", "Realty", "Property Partners", "Land Co."], ["Owner", "Broker", "Investor", "Acquisitions Manager"]),
    "Property Management": (9, 2.6, ["Property Management", "Residential", "Rentals"], ["Owner", "Regional Manager", "Director of Operations"]),
    "Home Services": (13, 1.7, ["Plumbing", "Roofing", "Heating & Air", "Electric"], ["Owner", "General Manager", "Dispatcher"]),
    "Veterinary": (7, 1.5, ["Animal Clinic", "Pet Hospital"], ["Practice Owner", "Veterinarian", "Office Manager"]),
    "Fitness": (7, 0.9, ["Fitness", "Yoga", "Strength Club"], ["Owner", "Studio Manager"]),
    "Legal": (8, 0.7, ["Law", "Legal Group", "& Associates"], ["Partner", "Office Manager", "Paralegal"]),
    "Restaurants": (9, 0.5, ["Kitchen", "Grill", "Bakery", "Taqueria"], ["Owner", "General Manager", "Chef"]),
    "Software": (8, 0.3, ["Software", "Data", "Systems"], ["CEO", "VP Sales", "Marketing Intern"]),
    "Logistics": (7, 0.6, ["Freight", "Logistics", "Couriers"], ["Owner", "Fleet Manager", "Operations Intern"]),
}
OWNERS = {"Owner", "Practice Owner", "Partner", "Broker", "Investor", "CEO"}
NOTES = [
    "Met at the spring trade show.", "Asked for pricing twice.", "Prefers a call after 4 pm.", "Opening a second office next year.",
    "Uses a spreadsheet today; wants less typing.", "Referred by a current customer.", "Voicemail full, try e-mail.",
    'Says "send me something short", then we talk.', "Budget is set in October, not before.", "Two partners decide, both need the offer.",
    "First line: front desk.\nSecond line: ask for the owner.", "Moved offices, street address may be old.",
    "+ parking, + signage, no lift.", "Renewal in 90 days; competitor is in.", "Wants references, ideally in the same town.",
]

pick = random.Random(5550100)


def slug(text):
    return "".join(letter for letter in text.lower() if letter.isascii() and letter.isalnum()) or "company"


def plain(text):
    table = str.maketrans("éëøŁłóñçüáúãÉÁåøè", "eeollóncuauaeaaoe".replace("ó", "o"))
    return slug(text.translate(table))


def phone(area):
    last = pick.randrange(100)
    form = pick.choice(["({a}) 555-01{l:02}", "{a}-555-01{l:02}", "+1 {a} 555 01{l:02}", "{a}.555.01{l:02}"])
    return form.format(a=area, l=last)


def domain(company):
    return slug(company) + pick.choice([".test", ".test", ".example", ".example.com", ".example.com", ".example.org", ".example.net"])


def seat(likeness):
    """Where somebody sits: the nearer to the customers, the likelier it is Texas."""
    texas = pick.random() < (0.68 if likeness else 0.3)
    return pick.choice([city for city in CITIES if (city[1] == "TX") == texas])


def person(likeness):
    industries = list(INDUSTRIES)
    weights = [often * (max(lift, 0.05) ** 1.4 if likeness else 1) for often, lift, _, _ in INDUSTRIES.values()]
    industry = pick.choices(industries, weights)[0]
    _, lift, nouns, titles = INDUSTRIES[industry]
    first = pick.choice(ACCENTED_FIRST) if pick.random() < 0.04 else pick.choice(FIRST)
    last = pick.choice(ACCENTED_LAST) if pick.random() < 0.04 else pick.choice(LAST)
    city, state, postal, area = seat(likeness)
    name = pick.choice([pick.choice(LAST), pick.choice(LAST), city, pick.choice(STREETS), f"{pick.choice(LAST)} & {pick.choice(LAST)}"])
    company = f"{name} {pick.choice(nouns)}"
    if pick.random() < 0.04:
        company += ", " + pick.choice(["Inc.", "LLC", "P.C."])
    host = domain(company)
    title = pick.choice(titles)
    employees = max(1, int(pick.lognormvariate(3.1 if likeness else 2.6, 0.9)))
    sites = pick.random() < (0.5 if likeness else 0.14)
    tags = [tag for tag, chance in [("trade-show", 0.12), ("newsletter", 0.2), ("investor", 0.35 if title == "Investor" else 0.03),
                                    ("referral", 0.2 if likeness else 0.06)] if pick.random() < chance]
    if sites:
        tags.insert(0, "multi-site")
    row = {
        "First Name": first, "Last Name": last, "Email": f"{plain(first)}.{plain(last)}@{host}",
        "Phone": phone(area) if pick.random() < 0.93 else "", "Company": company, "Job Title": title, "Industry": industry,
        "Website": f"https://www.{host}" if pick.random() < 0.85 else "",
        "Street": f"{pick.randrange(100, 9900)} {pick.choice(STREETS)} {pick.choice(STREET_KINDS)}"
        + (f", Suite {pick.randrange(100, 900)}" if pick.random() < 0.15 else ""),
        "City": city, "State": state, "Zip": f"{postal}{pick.randrange(1, 99):02}", "Country": "US", "Employees": str(employees),
        "Revenue": str(employees * pick.randrange(70, 210) * 1000) if pick.random() < 0.8 else "",
        "Tags": ";".join(tags), "Notes": pick.choice(NOTES) if pick.random() < 0.45 else "",
    }
    return row, lift


def judge(row, lift):
    """A likeness score with its reasons, as a ranking against the seeds would give them."""
    evidence = [(lift, f"Industry={row['Industry']}")]
    evidence.append((1.8, "State=TX") if row["State"] == "TX" else (0.7, f"State={row['State']}"))
    if "multi-site" in row["Tags"]:
        evidence.append((2.9, "Tags=multi-site"))
    if "referral" in row["Tags"]:
        evidence.append((2.1, "Tags=referral"))
    if row["Job Title"] in OWNERS:
        evidence.append((1.6, f"Title={row['Job Title']}"))
    elif "Intern" in row["Job Title"]:
        evidence.append((0.2, "Title~Intern"))
    if 15 <= int(row["Employees"]) <= 80:
        evidence.append((1.4, "Employees=15-80"))
    product = 1.0
    for factor, _ in evidence:
        product *= factor
    product *= pick.uniform(0.9, 1.12)
    reasons = sorted((item for item in evidence if item[0] > 1), reverse=True)[:4]
    return 100 * product / (product + 3.2), "; ".join(f"{what} {factor:.1f}x" for factor, what in reasons)


def blemish(rows):
    """What real files hold: addresses missing, twice or broken, last names missing, people abroad."""
    for row, (first, last, mailbox, company, city, country) in zip(pick.sample(rows, len(CJK)), CJK):
        row.update({"First Name": first, "Last Name": last, "Email": f"{mailbox}@{city.lower()}.example", "Company": company, "City": city,
                    "State": "", "Zip": "", "Country": country, "Phone": "", "Website": f"https://{city.lower()}.example"})
        row["Why"] = "; ".join(reason for reason in row["Why"].split("; ") if not reason.startswith("State="))
    taken = pick.sample(range(len(rows)), 60 + 20 + 6 + 10)
    for at in taken[:60]:
        rows[at]["Email"] = ""
    for at in taken[60:80]:
        other = rows[(at + 37) % len(rows)]
        while not other["Email"] or "@" not in other["Email"]:
            other = pick.choice(rows)
        rows[at]["Email"] = pick.choice([other["Email"].upper(), other["Email"].title()])
        for name in ("First Name", "Last Name", "Company"):
            rows[at][name] = other[name]
    for at in taken[80:86]:
        rows[at]["Email"] = rows[at]["Email"].replace("@", pick.choice([" at ", "."]))
    for at in taken[86:]:
        rows[at]["Last Name"] = ""


def write(path, columns, rows, spoiled=()):
    with open(path, "w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        for at, row in enumerate(rows):
            writer.writerow([row.get(name, "") for name in columns])
            if at in spoiled:
                # The company's comma is not quoted: one cell too many.
                cells = [spoiled[at].get(name, "") for name in columns]
                out.write(",".join(cells) + "\n")


def spoil(like, number):
    row, lift = person(False)
    row.update({"id": f"P-{number:05}", "Company": f"{row['Last Name']}, Sons & Co", "Street": row["Street"].split(",")[0],
                "Lead Score": like["Lead Score"], "Why": judge(row, lift)[1], "Notes": "Ask for the owner."})
    return row


def main():
    seeds = [person(True)[0] for _ in range(100)]
    for number, row in enumerate(seeds, 1):
        row["id"] = f"C-{number:04}"
    write("seeds.csv", SEED_COLUMNS, seeds)

    prospects = []
    for _ in range(2000):
        row, lift = person(pick.random() < 0.14)
        row["exact"], row["Why"] = judge(row, lift)
        prospects.append(row)
    prospects.sort(key=lambda row: -row["exact"])
    numbers = list(range(1, 2001))
    pick.shuffle(numbers)
    for number, row in zip(numbers, prospects):
        row["id"], row["Lead Score"] = f"P-{number:05}", str(round(row["exact"]))
    blemish(prospects)
    places = [411, 976, 1542]
    spoiled = {at: spoil(prospects[at], 2001 + number) for number, at in enumerate(places)}
    write("prospects.csv", COLUMNS, prospects, spoiled)


main()
