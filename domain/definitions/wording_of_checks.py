"""Words for names, references, policy, lints and tests: E3xx, E4xx, E502 to E510, W6xx, T7xx."""

#: key → (en, uk[, hint en, hint uk])
ENTRIES: dict[str, tuple[str, ...]] = {
    "E301": ("{said}", "вираз не читається: {said}"),
    "E302": ("unknown name '{name}'", "невідома назва '{name}'"),
    "E302.known": ("unknown name '{name}'", "невідома назва '{name}'", "known here: {known}", "тут відомі: {known}"),
    "E302.here": (
        "'{name}' is not known here", "'{name}' тут невідоме",
        "it is known in {where}", "воно відоме в {where}",
    ),
    "E302.input": ("unknown input '{name}'", "невідоме поле '{name}'"),
    "E302.var": (
        "variable '{name}' is not declared", "змінну '{name}' не оголошено",
    ),
    "E302.var_new": (
        "variable '{name}' is not declared", "змінну '{name}' не оголошено",
        "declare it: vars: {{ {name}: … }}", "оголосіть її: vars: {{ {name}: … }}",
    ),
    "E302.step": ("there is no step '{name}'", "немає кроку '{name}'"),
    "E302.blueprint": (
        "a blueprint's parameter stands for a whole value", "параметр шаблону стоїть замість цілого значення",
        "write \"{{{{ {name} }}}}\" and nothing beside it", "напишіть \"{{{{ {name} }}}}\" і нічого поруч",
    ),
    "E303": ("unknown field '{name}'", "невідоме поле '{name}'"),
    "E303.known": ("unknown field '{name}'", "невідоме поле '{name}'", "known: {known}", "відомі: {known}"),
    "E303.plain": ("'{name}' has no fields: it is {given}", "'{name}' не має полів: це {given}"),
    "E303.braces": (
        "a condition is already an expression", "умова вже є виразом",
        "remove the {{{{ }}}} braces", "приберіть дужки {{{{ }}}}",
    ),
    "E301.hint": ("{said}", "вираз не читається: {said}", "{hint}", "{hint}"),
    "E304.hint": ("{said}", "{said}", "{hint}", "{hint}"),
    "E305.hint": ("{said}", "{said}", "{hint}", "{hint}"),
    "E306.hint": ("{said}", "{said}", "{hint}", "{hint}"),
    "E306.patterns": (
        "the patterns of this definition repeat too much", "шаблони цього визначення забагато повторюють",
        "use [0-9] and [A-Za-z] in place of \\d and \\w, or repeat less",
        "візьміть [0-9] і [A-Za-z] замість \\d і \\w або повторюйте менше",
    ),
    "E306.type": (
        "a condition is true or false, '{name}' is {given}", "умова — це true або false, а '{name}' — {given}",
        "compare it with something", "порівняйте з чимось",
    ),
    "E304": ("{said}", "{said}"),
    "E305": ("{said}", "{said}"),
    "E305.literal": (
        "'{name}' must be written out: what a definition can do is seen without running it",
        "'{name}' пишеться прямо: що вміє визначення, видно без запуску",
        "no {{{{ }}}} here", "без {{{{ }}}} тут",
    ),
    "E306": ("{said}", "{said}"),
    "E307": (
        "step '{name}' cannot have run yet", "крок '{name}' ще не міг виконатися",
        "use it after it has run", "використовуйте його після виконання",
    ),
    "E307.items": (
        "steps of one item are not known in {where}", "кроки окремого елемента невідомі в {where}",
        "use items.succeeded, items.failed …", "використовуйте items.succeeded, items.failed …",
    ),
    "E309": (
        "variable '{name}' is set in two parallel branches", "змінну '{name}' задано у двох паралельних гілках",
        "use two variables, then combine them after the fork", "візьміть дві змінні й поєднайте їх після розгалуження",
    ),
    "E309.loop": (
        "variable '{name}' is set by rounds that run at the same time",
        "змінну '{name}' задають кола, що йдуть одночасно",
        "collect steps.<loop>.results, or set concurrency: 1",
        "зберіть steps.<цикл>.results або поставте concurrency: 1",
    ),
    "E401": ("unknown quick reply '{key}'", "невідома швидка відповідь '{key}'"),
    "E402": ("unknown role '{key}'", "невідома роль '{key}'"),
    "E403": ("unknown team '{key}'", "невідома група '{key}'"),
    "E404": ("unknown topic '{key}'", "невідома тематика '{key}'"),
    "E405": ("unknown tag '{key}'", "невідомий тег '{key}'"),
    "E406": ("unknown status '{key}'", "невідомий статус '{key}'"),
    "E407": ("unknown message template '{key}'", "невідомий шаблон повідомлення '{key}'"),
    "E408": ("unknown connection '{key}'", "невідоме підключення '{key}'"),
    "E409": ("unknown {kind} '{key}'", "невідомий {kind} '{key}'"),
    "E409.version": (
        "{kind} '{key}' has no version {version}", "{kind} '{key}' не має версії {version}",
        "it has versions 1 to {latest}", "є версії від 1 до {latest}",
    ),
    "E409.unpublished": (
        "{kind} '{key}' is not published yet", "{kind} '{key}' ще не опубліковано",
        "publish it first", "спершу опублікуйте його",
    ),
    "E410": (
        "this leads back to itself: {chain}", "це веде назад до себе: {chain}",
        "a sub-process may not start its parents", "підпроцес не може запускати своїх батьків",
    ),
    "E411": ("unknown channel '{key}'", "невідомий канал '{key}'"),
    "E412": ("unknown user '{key}'", "невідомий користувач '{key}'"),
    "E413": ("unknown calendar '{key}'", "невідомий календар '{key}'"),
    "E414": (
        "unknown secret '{key}'", "невідомий секрет '{key}'",
        "store it first, or name one that is stored", "спершу збережіть його або вкажіть збережений",
    ),
    "E415": ("unknown ticket type '{key}'", "невідомий тип тікета '{key}'"),
    "E416": ("unknown priority '{key}'", "невідомий пріоритет '{key}'"),
    "E502": (
        "'else' is not last: the cases after it are never reached",
        "'else' стоїть не останнім: до випадків після нього черга не дійде",
        "move it to the end", "перенесіть його в кінець",
    ),
    "E503": (
        "the path is an absolute address", "шлях є повною адресою",
        "the address belongs to the connection; begin the path with /", "адреса належить підключенню; почніть шлях з /",
    ),
    "E504": (
        "this trigger leaves the required input '{name}' empty", "цей тригер лишає обов'язкове поле '{name}' порожнім",
        "add it to the trigger's inputs, or give it a default", "додайте його до inputs тригера або задайте default",
    ),
    "E505": (
        "publishing this needs the right '{capability}'", "щоб це опублікувати, потрібне право '{capability}'",
        "ask somebody who has it to publish", "попросіть опублікувати того, хто його має",
    ),
    "E506": (
        "{count} steps, at most {most}", "кроків {count}, не більше ніж {most}",
        "move some into a sub-process (run:)", "винесіть частину в підпроцес (run:)",
    ),
    "E506.depth": (
        "steps nested {count} deep, at most {most}", "кроки вкладено на {count} рівнів, не більше ніж {most}",
        "move some into a sub-process (run:)", "винесіть частину в підпроцес (run:)",
    ),
    "E506.size": (
        "the definition is too large: {size} bytes of at most {most}",
        "визначення завелике: {size} байтів із {most} можливих",
        "move steps into a sub-process (run:)", "винесіть кроки в підпроцес (run:)",
    ),
    "E506.chain": ("sub-processes {count} deep, at most {most}", "підпроцеси на {count} рівнів, не більше ніж {most}"),
    "E506.long": ("'{name}' is longer than {most}", "'{name}' довше за {most}"),
    "E507": (
        "an automatic trigger runs as 'system', who may not launch this",
        "автоматичний тригер працює як 'system', якому запуск не дозволено",
        "add system to permissions.launch.roles", "додайте system у permissions.launch.roles",
    ),
    "E508": (
        "'{name}' works on a dialog, {where} has none", "'{name}' працює з діалогом, а в {where} його немає",
        "move it to do:", "перенесіть його в do:",
    ),
    "E508.macro": (
        "a macro works on one open dialog: '{name}' is for processes",
        "макрос працює з одним відкритим діалогом: '{name}' — для процесів",
        "remove it, or make it kind: process", "приберіть або зробіть kind: process",
    ),
    "E508.macros_only": (
        "action '{name}' is for macros only", "дія '{name}' лише для макросів",
    ),
    "E508.blueprint": (
        "'{name}' is for blueprints only",
        "'{name}' лише для шаблонів",
        "make it kind: blueprint",
        "зробіть kind: blueprint",
    ),
    "E508.target": (
        "'{name}' needs a {needs}, but target is {target}", "для '{name}' потрібен {needs}, а target тут '{target}'",
    ),
    "E509": (
        "this launch would take every {every} there is", "такий запуск охопить усі, які є: {every}",
        "add selection.where", "додайте selection.where",
    ),
    "E510": (
        "the channel's reply window is closed to a first message: it would never be sent",
        "вікно каналу закрите для першого повідомлення: його ніколи не буде надіслано",
        "name an approved template", "вкажіть схвалений шаблон",
    ),
    "E510.template": (
        "if_window_closed: template, but no template is named", "if_window_closed: template, але шаблону не вказано",
        "add template:", "додайте template:",
    ),
    "W602": ("steps after this one never run", "кроки після цього ніколи не виконаються"),
    "W604": (
        "{method} is tried again after a failure: it may take effect twice",
        "{method} повторюється після збою: може спрацювати двічі",
        "add idempotent: true if the other side knows repeated requests, or retry: 1",
        "додайте idempotent: true, якщо та сторона впізнає повтори, або retry: 1",
    ),
    "W605": (
        "a mass sending without a rate", "масове надсилання без обмеження швидкості",
        "add mass.rate: {{ default: 5/s }}", "додайте mass.rate: {{ default: 5/s }}",
    ),
    "W606": (
        "after waiting {wait} the reply window is probably closed",
        "після очікування {wait} вікно каналу, мабуть, закрите",
        "use if_window_closed: skip or template", "візьміть if_window_closed: skip або template",
    ),
    "W607": (
        "not said what to do when the channel's reply window is closed",
        "не сказано, що робити, коли вікно каналу закрите",
        "add if_window_closed: skip, fail or template", "додайте if_window_closed: skip, fail або template",
    ),
    "W608": (
        "this comparison is always false: {left} is compared with {right}",
        "це порівняння завжди хибне: порівнюються {left} і {right}",
        "compare values of one type", "порівнюйте значення одного типу",
    ),
    "W608.option": (
        "'{name}' is never '{value}'", "'{name}' ніколи не буває '{value}'",
        "it is one of: {known}", "можливі: {known}",
    ),
    "W609": ("variable '{name}' is never read", "змінну '{name}' ніде не читають"),
    "W610": ("no test runs step '{name}'", "жоден тест не виконує крок '{name}'"),
    "W610.none": ("there are no tests", "немає жодного тесту", "add tests:", "додайте tests:"),
    "W611": (
        "tag '{key}' does not exist yet: it will be made", "тегу '{key}' ще немає: його буде створено",
    ),
    "W612": (
        "'{{{name}}}' is sent as it stands", "'{{{name}}}' буде надіслано як є",
        "write {{{{ {name} }}}}, or fill it: {{{{ inputs.text | fill }}}}",
        "напишіть {{{{ {name} }}}} або заповніть: {{{{ inputs.text | fill }}}}",
    ),
    "T701": ("test '{name}' failed: {said}", "тест '{name}' не пройшов: {said}", "{why}", "{why}"),
}  # fmt: skip
