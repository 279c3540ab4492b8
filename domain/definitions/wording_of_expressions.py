"""Ukrainian for what expressions, parameters of actions, and tests say; what has no entry stays English."""

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
    # what tests say
    (r"status: expected (.*), was (.*)", r"статус: очікувався \1, а є \2"),
    (r"error: expected (.*), was (.*)", r"помилка: очікувалася \1, а є \2"),
    (r"message: expected (.*), was (.*)", r"повідомлення: очікувалося \1, а є \2"),
    (r"path: expected (.*), was (.*)", r"шлях: очікувався \1, а є \2"),
    (r"calls of (\S+): expected (.*), was (.*)", r"виклики \1: очікувалося \2, а є \3"),
    (r"output (\S+): expected (.*), was (.*)", r"значення \1: очікувалося \2, а є \3"),
    (r"took: expected (.*), was (.*)", r"тривалість: очікувалося \1, а є \2"),
    (r"no step was executed", r"жодного кроку не виконано"),
    # what a failed step says
    (r"division by zero", r"ділення на нуль"),
    (r"value is missing — add \| default\(…\)", r"значення немає — додайте | default(…)"),
    (r"'in' needs a list", r"для 'in' потрібен список"),
    # what inputs and parameters say
    (r"(.*): a value is required\.", r"\1: потрібне значення."),
    (r"(.*): a list is expected\.", r"\1: очікується список."),
    (r"(.*): a text is expected\.", r"\1: очікується текст."),
    (r"(.*): a whole number is expected\.", r"\1: очікується ціле число."),
    (r"(.*): a number is expected\.", r"\1: очікується число."),
    (r"(.*): true or false is expected\.", r"\1: очікується true або false."),
    (r"(.*): (.*) is expected\.", r"\1: очікується \2."),
    (r"(.*): choose one of (.*)\.", r"\1: оберіть одне з: \2."),
    (r"(.*): at least (\d+) characters\.", r"\1: щонайменше символів: \2."),
    (r"(.*): at most (\d+) characters\.", r"\1: щонайбільше символів: \2."),
    (r"(.*): at least (.*)\.", r"\1: щонайменше \2."),
    (r"(.*): at most (.*)\.", r"\1: щонайбільше \2."),
    (r"(.*): each value may be given once\.", r"\1: кожне значення можна дати лише раз."),
    (r"There is no input (.*)\.", r"Поля \1 немає."),
    (r"give a text or a template", r"дайте text або template"),
    (r"write an operator's id, role:NAME or team:NAME", r"напишіть id оператора, role:НАЗВА або team:НАЗВА"),
    (r"a text may not contain the NUL character", r"текст не може містити символ NUL"),
    (r"(.*) is not a path: write (.*) or (.*)", r"\1 — не шлях: напишіть \2 або \3"),
    (r"string should have at least (\d+) characters?", r"символів має бути щонайменше \1"),
    (r"list should have at least (\d+) items? after validation, not (\d+)", r"елементів має бути щонайменше \1"),
    (r"string should match pattern (.*)", r"текст має відповідати шаблону \1"),
    (r"input should be (.*)", r"має бути \1"),
)
#: sentences that hold another one in their second part
_AROUND: tuple[tuple[str, str], ...] = (
    (r"it failed with (\S+): (.*) \(step (.*)\)", "сталася помилка {0}: {1} (крок {2})"),
    (r"(after): (.*) \(step (.*)\)", "{0}: {1} (крок {2})"),
    (r"input (\S*): (.*)", "поле {0}: {1}"),
    (r"(the test cannot be run): (.*)", "тест неможливо виконати: {1}"),
)
_HOLDING = tuple((re.compile(pattern, re.DOTALL), said) for pattern, said in _AROUND)
_COMPILED = tuple((re.compile(pattern, re.DOTALL), said) for pattern, said in _SENTENCES)


def in_ukrainian(text: str) -> str:
    for pattern, said in _HOLDING:
        if found := pattern.fullmatch(text):
            first, second, *rest = found.groups()
            return said.format(first, in_ukrainian(second), *rest)
    for pattern, said in _COMPILED:
        if found := pattern.fullmatch(text):
            return found.expand(said)
    return text
