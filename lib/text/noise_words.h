/* noise_words - what tells lines and sentences that are no prose of the article. Words and phrases as word_next gives
 * them: in lower case, without punctuation. Included by clean.c alone.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef TEXT_NOISE_WORDS_H
#define TEXT_NOISE_WORDS_H

/* What time stamps are made of, besides numbers. Sorted by bytes. */
static const char *const stamp_words[] = {
    "1st", "2nd", "3rd", "a", "abr", "abril", "actualizado", "aest", "aggiornato", "ago", "agosto",
    "aktualisiert", "alle", "am", "an", "and", "août", "apr", "april", "aprile", "at", "atualizado", "aug",
    "august", "augusti", "augustus", "avril", "bijgewerkt", "bst", "cest", "cet", "cst", "ct", "day", "days",
    "de", "dec", "december", "del", "dez", "dezember", "dezembro", "dic", "dicembre", "diciembre", "dienstag",
    "dimanche", "dinsdag", "domenica", "domingo", "donderdag", "donnerstag", "déc", "décembre", "edt", "el",
    "em", "ene", "enero", "erstellt", "est", "et", "feb", "febbraio", "febrero", "februar", "februari",
    "february", "feira", "fev", "fevereiro", "first", "freitag", "fri", "friday", "févr", "février", "geleden",
    "gen", "gennaio", "geplaatst", "gepubliceerd", "gestern", "giovedì", "giu", "giugno", "gmt", "h", "hace",
    "heures", "heute", "hora", "horas", "hour", "hours", "hrs", "há", "il", "ist", "jan", "janeiro", "januar",
    "januari", "january", "janv", "janvier", "jeudi", "jour", "jueves", "juil", "juillet", "juin", "jul",
    "julho", "juli", "julio", "july", "jun", "june", "junho", "juni", "junio", "kl", "klockan", "las", "last",
    "le", "lectura", "lecture", "leestijd", "leitura", "lesezeit", "lettura", "lug", "luglio", "lundi",
    "lunedì", "lunes", "m", "maandag", "maart", "mag", "maggio", "mai", "maio", "maj", "mar", "march", "mardi",
    "mars", "martedì", "martes", "marzo", "março", "may", "mayo", "mei", "mercoledì", "mercredi", "min", "mins",
    "minute", "minuten", "minutes", "mis", "mise", "mittwoch", "miércoles", "modified", "modifié", "mon",
    "monday", "montag", "month", "months", "mär", "märz", "nov", "november", "novembre", "novembro",
    "noviembre", "oct", "october", "octobre", "octubre", "okt", "oktober", "om", "on", "op", "ore", "ott",
    "ottobre", "out", "outubro", "p", "pdt", "pm", "posted", "pst", "pt", "pubblicato", "publicado",
    "publicerad", "published", "publié", "quarta", "quinta", "read", "samedi", "samstag", "sat", "saturday",
    "segunda", "sep", "sept", "september", "septembre", "septiembre", "set", "setembro", "settembre", "sexta",
    "sonntag", "stand", "stunden", "sun", "sunday", "sábado", "t", "tagen", "terça", "th", "thu", "thur",
    "thurs", "thursday", "time", "tue", "tues", "tuesday", "uhr", "um", "updated", "uppdaterad", "utc", "uur",
    "vendredi", "venerdì", "veröffentlicht", "viernes", "vom", "vor", "vrijdag", "wed", "wednesday", "week",
    "weeks", "woensdag", "y", "year", "years", "yesterday", "z", "zaterdag", "zondag", "à", "às", "авг",
    "августа", "апр", "апреля", "в", "дек", "декабря", "июл", "июля", "июн", "июня", "мар", "марта", "мая",
    "мин", "назад", "ноя", "ноября", "обновлено", "окт", "октября", "опубликовано", "сен", "сент", "сентября",
    "фев", "февраля", "янв", "января",
};

/* With one of these a date is a stamp, whatever follows it. */
static const char *const stamp_openings[] = {
    "updated", "published", "posted", "modified", "aktualisiert", "veröffentlicht", "publié", "modifié",
    "publicado", "actualizado", "atualizado", "pubblicato", "aggiornato", "gepubliceerd", "bijgewerkt",
    "geplaatst", "publicerad", "uppdaterad", "опубликовано", "обновлено", "mis à jour", "last updated",
    "last modified", "first published", "originally published", "zuletzt aktualisiert",
};

/* What opens a line or a sentence that speaks to the reader. */
static const char *const call_openings[] = {
    "all rights reserved", "also read", "article continues below", "click here", "click to", "comments",
    "continue reading", "copyright", "download the app", "download our", "follow us", "get our", "getty images",
    "image source", "join our", "join the conversation", "learn more", "like us on", "listen to this",
    "load more", "more from", "more on this", "most read", "newsletter", "read also", "read full", "read more",
    "read next", "read the full", "recommended", "related articles", "related stories", "save this",
    "scroll down", "scroll for more", "scroll to", "see also", "share on", "share this", "show more", "sign in",
    "sign up", "skip advertisement", "skip to", "sponsored", "story continues", "subscribe", "support our",
    "swipe", "tap here", "tap to", "this article appeared", "this article first appeared",
    "this article was originally", "this post appeared first", "this story was originally", "view comments",
    "view gallery", "watch now", "watch the video", "what to read next", "you may also like", "lesen sie",
    "lies auch", "mehr zum thema", "mehr dazu", "hier geht es", "jetzt abonnieren", "jetzt anmelden",
    "abonnieren sie", "melden sie sich", "folgen sie uns", "zum newsletter", "zur startseite", "lire aussi",
    "à lire aussi", "abonnez vous", "inscrivez vous", "suivez nous", "cliquez ici", "en savoir plus",
    "lea también", "lee también", "leer más", "te puede interesar", "suscríbete", "suscríbase", "síguenos",
    "haz clic", "haga clic", "sigue leyendo", "leia mais", "leia também", "inscreva se", "clique aqui",
    "siga nos", "continue lendo", "saiba mais", "veja também", "leggi anche", "leggi tutto", "iscriviti",
    "seguici", "clicca qui", "continua a leggere", "lees ook", "lees meer", "lees verder", "meld je aan",
    "schrijf je in", "volg ons", "läs också", "läs mer", "læs også", "læs mere", "les også", "читайте также",
    "подписывайтесь", "подпишитесь", "читать далее", "اقرأ أيضا", "اقرأ المزيد", "यह भी पढ़ें", "더보기",
    "advertisement", "for more information", "for more on", "for more from",
};

/* Likewise, but only of a sentence: a line may be a step of instructions. */
static const char *const plea_openings[] = {
    "click the", "find out more", "enter your email", "follow her", "follow him", "follow me on",
    "follow the author", "for the latest", "get the latest", "get unlimited", "have something to say",
    "have a story", "have a tip", "if you enjoyed this", "if you liked this", "leave a comment", "log in",
    "please click", "please enable", "please log in", "please sign", "please subscribe", "please try",
    "register now", "send us", "to read more", "to read the", "to subscribe", "visit our", "want more",
    "want to read", "you can follow", "you can unsubscribe", "you might also like", "your email",
    "your subscription", "read our", "reporting by", "editor note", "editors note", "author note", "correction",
    "clarification", "breaking news will be", "read it at", "read it here", "file photo", "file picture",
    "file image", "stock photo", "archivbild", "symbolbild", "archivfoto", "looks like you are using",
    "photo by", "foto de archivo", "submitted by", "image caption", "media caption", "continue reading",
    "read more", "sign up", "subscribe to", "click here", "read the original", "hier finden sie", "mehr dazu",
    "das könnte sie", "das könnte dich",
};

/* What stands before the colon of a line that is no prose. */
static const char *const labels[] = {
    "advertisement", "advertisement feature", "author", "caption", "copyright", "correction", "credit",
    "credits", "cover image", "disclaimer", "disclosure", "editor note", "editors note", "featured image",
    "file photo", "image", "image credit", "photo", "photo by", "photo credit", "photograph", "photographs",
    "photos", "pictured", "picture", "posted in", "read", "read more", "read also", "related", "see also",
    "source", "sources", "tags", "topics", "categories", "video", "watch", "also read", "filed under", "foto",
    "fotos", "bild", "bilder", "quelle", "lesen sie auch", "auch interessant", "titelbild", "symbolbild",
    "imagen", "fuente", "imagem", "crédit", "crédits", "crédit photo", "lire aussi", "lea también",
    "leia também", "leia mais", "leggi anche", "lees ook", "fonte", "bron", "фото", "источник", "читайте также",
    "authors", "writer", "writers", "autor", "autores", "autoren", "auteur", "auteurs", "text und foto",
    "text und fotos", "texte et photos", "texto y fotos", "text en foto", "skrywer en foto", "story and photos",
    "words and photos", "text and photos", "more", "also see", "see more", "gallery", "podcast", "mehr",
};

/* What no sentence of news says, wherever in it. */
static const char *const noise_phrases[] = {
    "your inbox", "our newsletter", "newsletter sign up", "free newsletter", "daily newsletter",
    "weekly newsletter", "sign up to receive", "affiliate commission", "affiliate link", "affiliate links",
    "affiliate partners", "earn a commission", "earn commission", "earn a small commission",
    "commission for products", "supported by readers", "our editors and experts", "our editors independently",
    "independently evaluate all", "independently review everything", "independently selected by",
    "offer our services for free", "vendors may pay us", "this site uses cookies", "this website uses cookies",
    "we use cookies", "uses cookies", "cookie policy", "cookie settings", "accept cookies", "privacy policy",
    "terms of service", "terms of use", "all rights reserved", "may not be republished",
    "may not be reproduced", "click here", "click the link", "click the links", "click on the link",
    "click below", "link below", "links below", "follow us on", "follow me on", "follow him on",
    "follow her on", "follow them on", "like us on facebook", "on twitter at", "find us on",
    "join us on facebook", "download our app", "download the app", "enable javascript", "enable cookies",
    "ad blocker", "create an account", "already a subscriber", "contributed to this report",
    "contributed to this story", "contributed to this article", "contributed reporting", "additional reporting",
    "was originally published", "first appeared on", "originally appeared", "was last updated",
    "has been corrected", "been updated to", "this guest post", "guest post by", "guest blog by",
    "wrote this article", "opinions expressed", "views expressed", "photo by", "photos by", "image credit",
    "image courtesy", "photo courtesy", "getty images", "via getty", "leave a comment", "comment below",
    "share this article", "share this story", "share your thoughts", "let us know in", "min read",
    "minute read", "minutes to read", "back to top", "press enter", "erschien zuerst", "zuletzt aktualisiert",
    "diese website verwendet", "verwendet cookies", "nutzt cookies", "unseren newsletter", "unserem newsletter",
    "newsletter abonnieren", "datenschutzerklärung", "klicken sie hier", "mis à jour le", "utilise des cookies",
    "notre newsletter", "notre infolettre", "politique de confidentialité", "cliquez ici", "utiliza cookies",
    "nuestro boletín", "nuestra newsletter", "política de privacidad", "haz clic aquí", "haga clic aquí",
    "nossa newsletter", "política de privacidade", "clique aqui", "utilizza cookie", "nostra newsletter",
    "informativa sulla privacy", "clicca qui", "deze website gebruikt", "onze nieuwsbrief", "privacybeleid",
    "klik hier", "nieuwsbrief", "wszelkie prawa zastrzeżone", "все права защищены", "무단 전재", "무단전재",
    "for this website", "sign up for our", "sign up for the newsletter", "may receive compensation",
    "may receive a commission", "we may earn", "links we provide", "at no cost to you", "at no extra cost",
    "at no additional cost", "brought to you by", "access the full article", "for privacy information",
    "cet article publié", "affiliate relationship", "affiliate relationships", "not a member of",
    "may earn a commission", "story is developing", "developing story", "check back for updates",
    "appeared first on", "for more information", "hosted on acast", "ad choices", "subscribers only",
    "to continue reading", "free trial", "image caption", "media caption", "lesen sie hier", "externen inhalt",
    "externer inhalt", "externe inhalte", "an dieser stelle finden sie", "javascript aktivieren",
    "bitte aktivieren sie", "mit material von", "réservé aux abonnés", "réservée aux abonnés",
    "de cet article à lire", "exclusivo para suscriptores", "exclusivo para assinantes",
    "exclusiva para assinantes", "lesedauer", "lesezeit", "reading time", "temps de lecture",
    "tiempo de lectura", "tempo de leitura", "tempo di lettura", "leestijd", "mit informationen der",
    "mit informationen von", "mit material der", "privatsphäre einstellungen", "full access to this article",
    "via your institution", "selected independently by",
};

/* In the brackets that end the caption of a picture. */
static const char *const credit_words[] = {
    "photo", "photos", "photograph", "getty", "courtesy", "foto", "fotos", "imago", "shutterstock", "istock",
    "unsplash", "crédit", "crédito", "фото",
};

/* "This article was updated ...": what a text calls itself, and what was done to it. */
static const char *const self_names[] = {
    "article", "post", "story", "report", "column", "piece", "blog", "page", "newsletter", "interview",
    "transcript", "content", "beitrag", "artikel", "text", "artículo", "artigo", "articolo", "nota", "podcast",
    "episode",
};
static const char *const self_openings[] = {
    "this is a", "this was a", "this", "an earlier version of this", "a version of this",
    "a previous version of this", "dieser", "cet", "este", "questo", "dit", "denna",
};
static const char *const self_verbs[] = {
    "written", "published", "updated", "posted", "produced", "contributed", "translated", "republished",
    "syndicated", "reviewed", "edited", "corrected", "sponsored", "guest", "appeared", "appears", "reprinted",
    "adapted", "excerpted", "erschien", "erschienen", "veröffentlicht", "aktualisiert", "verfasst", "publié",
    "publicado", "actualizado", "atualizado", "pubblicato", "aggiornato", "geschreven", "gepubliceerd",
    "bijgewerkt",
};

/* "Jane Doe is a reporter ..." */
static const char *const author_trades[] = {
    "reporter", "writer", "journalist", "correspondent", "columnist", "contributor", "editor", "blogger",
    "photographer", "newswriter", "copywriter", "author", "fellow", "producer", "critic", "freelancer",
    "redakteur", "redakteurin", "autor", "autorin", "journaliste", "periodista", "redactor", "redactora",
    "jornalista", "giornalista", "redacteur", "korrespondent", "korrespondentin",
};

#endif
