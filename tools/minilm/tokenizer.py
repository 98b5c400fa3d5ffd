"""BERT's uncased WordPiece tokeniser: text to token ids, cut into sequences.

Follows BertNormalizer, BertPreTokenizer and WordPiece of the Python package tokenizers, with the
options that the model's tokenizer.json states: clean_text, handle_chinese_chars, lowercase, accents
stripped, "##" before a piece that continues a word, [UNK] for a word of more than 100 characters.
Categories of characters are those of this Python's Unicode tables; the original's are older, so a
few hundred newer signs may fall out differently (golden/activations/witness.json lists them).
"""

import re
import unicodedata

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LONGEST_WORD = 100
# As BertNormalizer has them, the gap between the third and the fourth extension included.
CHINESE = [
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
]


def is_chinese(character):
    return any(first <= ord(character) <= last for first, last in CHINESE)


def is_punctuation(character):
    # Every ASCII symbol separates words, "$" and "+" too; elsewhere only what Unicode calls so.
    return (character.isascii() and character.isprintable() and not character.isalnum()
            or unicodedata.category(character).startswith("P"))


def clean(text):
    """Drops control characters, makes every white space a space, sets Chinese signs apart."""
    for character in text:
        if character in "\t\n\r" or unicodedata.category(character).startswith("Z"):
            yield " "
        elif character == "\ufffd" or unicodedata.category(character).startswith("C"):
            continue
        elif is_chinese(character):
            yield f" {character} "
        else:
            yield character


def words(text):
    """Lower-case words without accents; every punctuation mark is a word of its own."""
    plain = unicodedata.normalize("NFD", "".join(clean(text)))
    # One character at a time, as the original does: a word's last sigma is then like any other.
    plain = "".join(c.lower() for c in plain if unicodedata.category(c) != "Mn")
    separated = "".join(f" {c} " if is_punctuation(c) else c for c in plain)
    return separated.split(" ")


class Tokenizer:
    def __init__(self, vocabulary):
        """`vocabulary`: one token a line; the line's number, from 0, is the id."""
        self.tokens = vocabulary.removesuffix("\n").split("\n")
        self.ids = {token: index for index, token in enumerate(self.tokens)}
        self.specials = re.compile("(" + "|".join(map(re.escape, SPECIAL)) + ")")

    def pieces(self, word):
        """The longest piece that the vocabulary has, again and again; [UNK] if one is missing."""
        found, start = [], 0
        if len(word) > LONGEST_WORD:
            return [self.ids["[UNK]"]]
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = self.ids.get(("##" if start else "") + word[start:end])
                if piece is not None:
                    break
            else:
                return [self.ids["[UNK]"]]
            found.append(piece)
            start = end
        return found

    def encode(self, text):
        """Token ids without [CLS] and [SEP] around them; the text may name special tokens."""
        ids = []
        for part in self.specials.split(text):
            if part in SPECIAL:
                ids.append(self.ids[part])
            else:
                ids += [piece for word in words(part) if word for piece in self.pieces(word)]
        return ids

    def sequences(self, ids, length):
        """Cuts ids into sequences of at most `length`, each from [CLS] to [SEP].

        A word stays in one sequence unless it is longer than that.
        """
        start = 0
        while start < len(ids):
            end = min(start + length - 2, len(ids))
            cut = end
            while cut > start and cut < len(ids) and self.tokens[ids[cut]].startswith("##"):
                cut -= 1
            end = cut if cut > start else end
            yield [self.ids["[CLS]"], *ids[start:end], self.ids["[SEP]"]]
            start = end
