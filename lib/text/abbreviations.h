/* abbreviations - what stands before a full stop that ends no sentence; of the languages of Europe, as far as they are
 * no words of another. Included by sentence.c alone.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef TEXT_ABBREVIATIONS_H
#define TEXT_ABBREVIATIONS_H

#define ABBREVIATION_SIZE 16 /* bytes of a longer word are not compared */

enum abbreviation_end {
    END_ALWAYS,
    END_NEVER,
    END_NEVER_TITLE, /* if it is capitalised: "Det. Doe", not "han tog det." */
    END_MAYBE,       /* only before a capitalised stop word: "in the U.S. The ..." */
    END_BEFORE_WORD, /* not before a number: "No. 5" */
};

/* In lower case, without the last full stop. Sorted by bytes. */
static const struct abbreviation {
    const char *text;
    enum abbreviation_end end;
} abbreviations[] = {
    { "abr", END_BEFORE_WORD }, { "abs", END_BEFORE_WORD }, { "adm", END_NEVER }, { "ago", END_BEFORE_WORD },
    { "ald", END_NEVER_TITLE }, { "amb", END_NEVER_TITLE }, { "approx", END_NEVER }, { "apr", END_MAYBE },
    { "aprox", END_NEVER }, { "archbp", END_NEVER }, { "arq", END_NEVER }, { "art", END_BEFORE_WORD },
    { "assn", END_MAYBE }, { "asst", END_NEVER_TITLE }, { "atty", END_NEVER_TITLE }, { "aug", END_MAYBE },
    { "avda", END_NEVER }, { "ave", END_MAYBE }, { "avr", END_BEFORE_WORD }, { "avv", END_NEVER },
    { "b.v", END_NEVER }, { "bd", END_BEFORE_WORD }, { "bijv", END_NEVER }, { "bl", END_BEFORE_WORD },
    { "bl.a", END_NEVER }, { "blvd", END_MAYBE }, { "blz", END_NEVER }, { "brig", END_NEVER },
    { "bros", END_MAYBE }, { "bzw", END_NEVER }, { "ca", END_NEVER }, { "capt", END_NEVER_TITLE },
    { "cf", END_NEVER }, { "chap", END_BEFORE_WORD }, { "cllr", END_NEVER }, { "cmdr", END_NEVER },
    { "co", END_MAYBE }, { "col", END_NEVER_TITLE }, { "comm", END_NEVER_TITLE }, { "commr", END_NEVER },
    { "const", END_NEVER_TITLE }, { "corp", END_MAYBE }, { "cpl", END_NEVER_TITLE }, { "cpt", END_NEVER_TITLE },
    { "cía", END_MAYBE }, { "d.h", END_NEVER }, { "d.w.z", END_NEVER }, { "dec", END_MAYBE },
    { "del", END_NEVER_TITLE }, { "dept", END_MAYBE }, { "det", END_NEVER_TITLE }, { "dez", END_BEFORE_WORD },
    { "dhr", END_NEVER }, { "di", END_NEVER_TITLE }, { "dic", END_BEFORE_WORD }, { "dipl", END_NEVER },
    { "do", END_NEVER_TITLE }, { "dott", END_NEVER }, { "doç", END_NEVER }, { "dr", END_NEVER },
    { "dra", END_NEVER }, { "drs", END_NEVER }, { "dvs", END_NEVER }, { "déc", END_BEFORE_WORD },
    { "dña", END_NEVER }, { "e.g", END_NEVER }, { "ecc", END_MAYBE }, { "ee", END_NEVER }, { "eg", END_NEVER },
    { "ene", END_BEFORE_WORD }, { "env", END_NEVER }, { "enz", END_MAYBE }, { "est", END_MAYBE },
    { "etc", END_MAYBE }, { "evtl", END_NEVER }, { "exmo", END_NEVER }, { "f.eks", END_NEVER },
    { "feb", END_MAYBE }, { "fev", END_BEFORE_WORD }, { "fig", END_BEFORE_WORD }, { "fr", END_NEVER_TITLE },
    { "ft", END_MAYBE }, { "févr", END_BEFORE_WORD }, { "geb", END_NEVER }, { "gen", END_NEVER },
    { "geom", END_NEVER }, { "gez", END_NEVER }, { "gg", END_MAYBE }, { "ggf", END_NEVER },
    { "godz", END_BEFORE_WORD }, { "gov", END_NEVER_TITLE }, { "gral", END_NEVER }, { "hon", END_NEVER_TITLE },
    { "hr", END_MAYBE }, { "hrs", END_MAYBE }, { "hrsg", END_NEVER }, { "hwy", END_MAYBE }, { "i.d.r", END_NEVER },
    { "i.e", END_NEVER }, { "ie", END_NEVER }, { "inc", END_MAYBE }, { "ing", END_NEVER }, { "inkl", END_NEVER },
    { "insb", END_NEVER }, { "insp", END_NEVER_TITLE }, { "intl", END_MAYBE }, { "ir", END_NEVER },
    { "jan", END_MAYBE }, { "janv", END_BEFORE_WORD }, { "jh", END_MAYBE }, { "jl", END_MAYBE },
    { "jr", END_MAYBE }, { "juil", END_BEFORE_WORD }, { "jul", END_MAYBE }, { "jun", END_MAYBE },
    { "kap", END_BEFORE_WORD }, { "kl", END_BEFORE_WORD }, { "kr", END_MAYBE }, { "lb", END_MAYBE },
    { "lbs", END_MAYBE }, { "lic", END_NEVER_TITLE }, { "lt", END_NEVER_TITLE }, { "ltd", END_MAYBE },
    { "m.a.w", END_NEVER }, { "m.in", END_NEVER }, { "maj", END_NEVER_TITLE }, { "messrs", END_NEVER },
    { "mevr", END_NEVER }, { "mfg", END_MAYBE }, { "mgr", END_NEVER }, { "mi", END_NEVER_TITLE },
    { "mia", END_MAYBE }, { "mio", END_MAYBE }, { "mld", END_MAYBE }, { "mlle", END_NEVER }, { "mln", END_MAYBE },
    { "mm", END_NEVER_TITLE }, { "mme", END_NEVER }, { "mmes", END_NEVER }, { "mo", END_NEVER_TITLE },
    { "mos", END_MAYBE }, { "mr", END_NEVER }, { "mrd", END_MAYBE }, { "mrs", END_NEVER },
    { "ms", END_NEVER_TITLE }, { "msgr", END_NEVER }, { "mt", END_NEVER_TITLE }, { "mtl", END_MAYBE },
    { "mtn", END_MAYBE }, { "mw", END_NEVER_TITLE }, { "mär", END_BEFORE_WORD }, { "např", END_NEVER },
    { "nb", END_NEVER }, { "no", END_BEFORE_WORD }, { "nos", END_BEFORE_WORD }, { "nov", END_MAYBE },
    { "np", END_NEVER }, { "nr", END_BEFORE_WORD }, { "núm", END_BEFORE_WORD }, { "o.a", END_NEVER },
    { "oct", END_MAYBE }, { "okt", END_BEFORE_WORD }, { "op", END_BEFORE_WORD }, { "osv", END_MAYBE },
    { "oz", END_MAYBE }, { "p.ej", END_NEVER }, { "p.ex", END_NEVER }, { "pag", END_BEFORE_WORD },
    { "pct", END_MAYBE }, { "pfc", END_NEVER }, { "ph.d", END_MAYBE }, { "pp", END_BEFORE_WORD },
    { "pres", END_NEVER_TITLE }, { "prof", END_NEVER }, { "profa", END_NEVER }, { "pvt", END_NEVER_TITLE },
    { "pág", END_BEFORE_WORD }, { "płk", END_NEVER }, { "rd", END_MAYBE }, { "rep", END_NEVER_TITLE },
    { "reps", END_NEVER_TITLE }, { "rev", END_NEVER_TITLE }, { "rt", END_NEVER_TITLE }, { "sa", END_NEVER_TITLE },
    { "sec", END_MAYBE }, { "secy", END_NEVER_TITLE }, { "sen", END_NEVER_TITLE }, { "sens", END_NEVER_TITLE },
    { "sep", END_MAYBE }, { "sept", END_MAYBE }, { "sgt", END_NEVER }, { "sig", END_NEVER_TITLE },
    { "sigg", END_NEVER }, { "so", END_NEVER_TITLE }, { "sog", END_NEVER }, { "sq", END_MAYBE },
    { "sr", END_MAYBE }, { "sra", END_NEVER }, { "srta", END_NEVER }, { "st", END_NEVER_TITLE },
    { "std", END_MAYBE }, { "ste", END_NEVER_TITLE }, { "str", END_MAYBE }, { "supt", END_NEVER },
    { "t.ex", END_NEVER }, { "tab", END_BEFORE_WORD }, { "tbsp", END_MAYBE }, { "tel", END_MAYBE },
    { "thur", END_MAYBE }, { "thurs", END_MAYBE }, { "tlf", END_MAYBE }, { "tlg", END_MAYBE },
    { "treas", END_NEVER_TITLE }, { "tsp", END_MAYBE }, { "tues", END_MAYBE }, { "tys", END_MAYBE },
    { "tzn", END_NEVER }, { "tzv", END_NEVER }, { "tzw", END_NEVER }, { "u.a", END_NEVER },
    { "ud", END_NEVER_TITLE }, { "uds", END_NEVER_TITLE }, { "ul", END_NEVER }, { "univ", END_MAYBE },
    { "usw", END_MAYBE }, { "uu", END_MAYBE }, { "vb", END_MAYBE }, { "vgl", END_NEVER }, { "viz", END_NEVER },
    { "vlg", END_NEVER }, { "vol", END_BEFORE_WORD }, { "vs", END_NEVER }, { "yrd", END_NEVER },
    { "yrs", END_MAYBE }, { "z.b", END_NEVER }, { "z.t", END_NEVER }, { "zzgl", END_NEVER }, { "zł", END_MAYBE },
    { "éd", END_NEVER }, { "č", END_BEFORE_WORD }, { "św", END_NEVER }, { "акад", END_NEVER }, { "г", END_NEVER },
    { "гг", END_MAYBE }, { "гл", END_BEFORE_WORD }, { "дол", END_MAYBE }, { "др", END_MAYBE }, { "коп", END_MAYBE },
    { "млн", END_MAYBE }, { "млрд", END_MAYBE }, { "напр", END_NEVER }, { "просп", END_NEVER },
    { "проф", END_NEVER }, { "рис", END_BEFORE_WORD }, { "руб", END_MAYBE }, { "св", END_NEVER },
    { "см", END_MAYBE }, { "ст", END_BEFORE_WORD }, { "стр", END_BEFORE_WORD }, { "т.е", END_NEVER },
    { "т.н", END_NEVER }, { "тел", END_MAYBE }, { "тыс", END_MAYBE }, { "ул", END_NEVER },
};

#endif
