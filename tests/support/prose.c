/* prose - text that looks like news to a tokenizer: sentences and paragraphs of English words.
 * SPDX-License-Identifier: MPL-2.0 */
#include "fakeworld.h"

#include <ctype.h>
#include <string.h>

static const char *const words[] = {
    "about",     "above",      "according",  "account",     "across",     "added",      "adviser",
    "after",     "again",      "against",    "agency",      "agreed",     "agreement",  "all",
    "along",     "already",    "also",       "although",    "among",      "analyst",    "and",
    "announced", "another",    "answer",     "appeal",      "approved",   "area",       "argued",
    "army",      "around",     "asked",      "assembly",    "at",         "attack",     "auction",
    "audit",     "authority",  "autumn",     "back",        "balance",    "ballot",     "bank",
    "because",   "become",     "before",     "began",       "behind",     "between",    "billion",
    "bitcoin",   "blamed",     "block",      "board",       "bond",       "border",     "borrower",
    "both",      "bridge",     "broker",     "budget",      "building",   "business",   "buyer",
    "by",        "café",       "called",     "campaign",    "capital",    "case",       "central",
    "centre",    "century",    "chain",      "chair",       "change",     "charge",     "chief",
    "choice",    "citizen",    "city",       "claimed",     "climate",    "close",      "coalition",
    "coast",     "code",       "coin",       "collapse",    "come",       "commission", "committee",
    "company",   "company’s",  "concern",    "confirmed",   "contract",   "cost",       "council",
    "country",   "court",      "credit",     "crisis",      "crowd",      "currency",   "customer",
    "damage",    "data",       "day",        "deal",        "debate",     "debt",       "decade",
    "decided",   "decision",   "decline",    "defence",     "delay",      "demand",     "deputy",
    "despite",   "developer",  "director",   "district",    "dollar",     "doubt",      "down",
    "draft",     "drought",    "during",     "each",        "early",      "earnings",   "economy",
    "editor",    "effort",     "election",   "electricity", "emerged",    "employee",   "energy",
    "engineer",  "estimate",   "even",       "evening",     "evidence",   "exchange",   "expected",
    "expert",    "export",     "factory",    "failed",      "fall",       "family",     "farmer",
    "fear",      "federal",    "few",        "field",       "figure",     "film",       "finance",
    "find",      "fire",       "firm",       "first",       "fishing",    "flood",      "forecast",
    "foreign",   "forest",     "former",     "found",       "from",       "fuel",       "fund",
    "future",    "gain",       "gas",        "general",     "government", "grant",      "group",
    "growth",    "half",       "harbour",    "health",      "hearing",    "held",       "higher",
    "hospital",  "hour",       "household",  "housing",     "however",    "import",     "in",
    "increase",  "index",      "industry",   "inflation",   "inquiry",    "insurance",  "interest",
    "into",      "investor",   "island",     "issue",       "join",       "journal",    "judge",
    "keep",      "labour",     "lake",       "last",        "launch",     "law",        "lawyer",
    "leader",    "ledger",     "less",       "level",       "licence",    "likely",     "limit",
    "line",      "loan",       "local",      "long",        "loss",       "low",        "machine",
    "majority",  "manager",    "many",       "market",      "mayor",      "measure",    "meeting",
    "member",    "message",    "midnight",   "million",     "miner",      "minister",   "month",
    "more",      "morning",    "most",       "motion",      "museum",     "nation",     "nearly",
    "need",      "network",    "never",      "new",         "north",      "number",     "of",
    "offer",     "office",     "officials",  "only",        "open",       "order",      "other",
    "over",      "own",        "paid",       "paper",       "parliament", "party",      "payment",
    "people",    "percent",    "period",     "permit",      "plan",       "plant",      "police",
    "policy",    "port",       "power",      "pressure",    "price",      "private",    "profit",
    "project",   "promised",   "proposal",   "prosecutor",  "protest",    "public",     "quarter",
    "question",  "R&D",        "railway",    "rain",        "raised",     "rate",       "reached",
    "reason",    "record",     "reform",     "refused",     "region",     "regulator",  "remain",
    "report",    "reporter",   "reserve",    "resident",    "result",     "return",     "review",
    "rise",      "risk",       "river",      "road",        "rule",       "safety",     "said",
    "sale",      "school",     "scientist",  "season",      "secretary",  "security",   "senate",
    "senior",    "service",    "share",      "ship",        "since",      "small",      "south",
    "spokesman", "staff",      "state",      "station",     "storm",      "strike",     "study",
    "summer",    "supply",     "support",    "survey",      "system",     "talks",      "tariff",
    "tax",       "team",       "technology", "than",        "that",       "the",        "their",
    "they",      "this",       "thousand",   "ticket",      "to",         "told",       "token",
    "town",      "trade",      "traffic",    "train",       "treaty",     "trial",      "under",
    "union",     "university", "until",      "validator",   "value",      "village",    "voter",
    "wage",      "wallet",     "warned",     "water",       "week",       "were",       "west",
    "while",     "winter",     "with",       "without",     "witness",    "worker",     "would",
    "year",      "yesterday",  "young",
};

static const char *const authors[] = {
    "Ada Marsh",   "Björn Falk",  "Carla Whit", "Dov Lindqvist", "Esi Tanner",
    "Farid Okoye", "Greta Stone", "Hugo Pell",  "Ines Corrigan", "Jun Abara",
};

static const char *const categories[] = { "Markets", "Politics", "Technology",
                                          "Mining",  "Energy",   "R&D" };

/* SplitMix64's step. */
uint64_t
prose_random (uint64_t *state)
{
    uint64_t z = *state += UINT64_C (0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C (0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static size_t
pick (uint64_t *state, size_t least, size_t most)
{
    return least + (size_t) (prose_random (state) % (most - least + 1));
}

static const char *
pick_word (uint64_t *state)
{
    return words[pick (state, 0, COUNT_OF (words) - 1)];
}

static void
add_word (struct buf *out, const char *word, bool capital)
{
    if (capital) {
        buf_add_char (out, (char) toupper ((unsigned char) *word));
        word++;
    }
    if (strchr (word, '&'))
        buf_add_escaped (out, word);
    else
        buf_add_str (out, word);
}

/* Sentences of 8 to 20 words, five a paragraph; the mark is the third word of all. */
void
prose_add_html (struct buf *out, uint64_t seed, size_t count, const char *mark)
{
    uint64_t state = seed;
    size_t left = 0, sentences = 0;
    for (size_t i = 0; i < count; i++) {
        bool opens = left == 0;
        if (opens) {
            buf_add_str (out, sentences % 5 ? " " : sentences ? "</p>\n<p>" : "<p>");
            sentences++;
            left = pick (&state, 8, 20);
        } else
            buf_add_char (out, ' ');
        add_word (out, i == 2 ? mark : pick_word (&state), opens);
        left = i + 1 == count ? 0 : left - 1;
        if (left == 0)
            buf_add_char (out, '.');
    }
    buf_add_str (out, count ? "</p>\n" : "");
}

void
prose_add_title (struct buf *out, uint64_t seed, const char *mark)
{
    uint64_t state = seed ^ UINT64_C (0x7469746c65); /* other words than the text begins with */
    size_t count = pick (&state, 4, 7);
    for (size_t i = 0; i < count; i++)
        buf_printf (out, "%s ", pick_word (&state));
    out->data[0] = (char) toupper ((unsigned char) out->data[0]);
    buf_add_str (out, mark);
}

const char *
prose_author (uint64_t seed)
{
    return authors[seed % COUNT_OF (authors)];
}

const char *
prose_category (uint64_t seed)
{
    return categories[seed % COUNT_OF (categories)];
}
