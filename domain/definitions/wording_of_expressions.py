"""Ukrainian for what the expression compiler says; what has no entry stays English."""

import re

_SENTENCES: tuple[tuple[str, str], ...] = (
    (r"unknown filter ('.*')", r"невідомий фільтр \1"),
    (r"unknown test (`.*`)", r"невідома перевірка \1"),
    (r"did you mean '(.*)'\?", r"можливо, '\1'?"),
    (r"calling '(.*)' is not allowed", r"виклик '\1' не дозволено"),
    (r"use the filter: (.*)", r"візьміть фільтр: \1"),
    (r"nested more than (\d+) deep", r"вкладеність понад \1 рівнів"),
    (r"split it into steps", r"розбийте на кілька кроків"),
    (r"the expression has (\d+) characters", r"вираз має \1 символів"),
    (r"at most (\d+)", r"не більше ніж \1"),
    (r"a condition is true or false, this is (?:a |an )?(.*)", r"умова — це true або false, а тут \1"),
    (r"compare it with something", r"порівняйте з чимось"),
    (r"the tag ('.*') is not allowed", r"тег \1 не дозволено"),
    (r"only if and for", r"лише if і for"),
    (r"a name cannot start with `_`: (.*)", r"назва не може починатися з `_`: \1"),
    (r"`\*\*` is not part of the language", r"`**` немає в мові"),
    (r"multiply", r"помножте"),
    (r"an expression is missing here", r"тут бракує виразу"),
    (r"unexpected character (.*)", r"неочікуваний символ \1"),
    (r"unexpected (.*)", r"неочікуване \1"),
    (r"write `(.*)`", r"напишіть `\1`"),
    (r"compare with ==", r"порівнюйте через =="),
    (r"the text is not closed", r"текст не закрито"),
    (r"the number is out of range", r"число за межами можливого"),
    (r"the argument ('.*') is missing", r"бракує аргументу \1"),
    (r"the argument ('.*') is given twice", r"аргумент \1 дано двічі"),
    (r"no argument ('.*')", r"немає аргументу \1"),
    (r"too many arguments", r"забагато аргументів"),
    (r"the pattern is wrong: (.*)", r"шаблон неправильний: \1"),
    (r"the pattern is too large", r"шаблон завеликий"),
    (r"the pattern of \| matches is a literal text", r"шаблон для | matches пишеться прямо текстом"),
    (r"it ends too soon", r"вираз обривається"),
    (r"(.*) is missing", r"бракує \1"),
    (r"(.*) is not closed", r"\1 не закрито"),
    (r"add the second quote", r"додайте другі лапки"),
    (r"expected (.*), found (.*)", r"очікувалося \1, а тут \2"),
    (r"expected a name", r"очікувалася назва"),
    (r"write ([{%|}].*)", r"напишіть \1"),
    (r"write a name without it", r"напишіть назву без нього"),
    (r"one expression stands here", r"тут один вираз"),
    (r"only one `is` can stand here", r"тут може бути лише одне `is`"),
    (r"join them with `and`", r"поєднайте їх через `and`"),
    (r"the arguments cannot be read", r"аргументи не читаються"),
    (r"(\w+) is not part of the language", r"\1 немає в мові"),
)
_COMPILED = tuple((re.compile(pattern, re.DOTALL), said) for pattern, said in _SENTENCES)


def in_ukrainian(text: str) -> str:
    for pattern, said in _COMPILED:
        if found := pattern.fullmatch(text):
            return found.expand(said)
    return text
