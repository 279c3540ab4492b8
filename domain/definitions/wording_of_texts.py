"""Words for what is wrong with the text and the shape of a definition: E1xx, E2xx, E506."""

#: key → (en, uk[, hint en, hint uk])
ENTRIES: dict[str, tuple[str, ...]] = {
    "E101": ("this is not YAML: {said}", "це не YAML: {said}"),
    "E101.empty": ("the file is empty", "файл порожній", "begin with: dsl: 1", "почніть із: dsl: 1"),
    "E101.encoding": (
        "the file is not UTF-8 text",
        "файл не є текстом UTF-8",
        "save it as UTF-8",
        "збережіть його як UTF-8",
    ),
    "E101.documents": (
        "a second document begins here", "тут починається другий документ",
        "one file holds one definition: remove the ---", "один файл містить одне визначення: приберіть ---",
    ),
    "E101.tab": (
        "a tab stands where the indentation is", "у відступі стоїть табуляція",
        "indent with spaces", "робіть відступи пробілами",
    ),
    "E101.colon": (
        "a second ': ' in one line", "друга ': ' в одному рядку",
        "put a text with a colon in quotes", "візьміть текст із двокрапкою в лапки",
    ),
    "E101.escape": (
        "an unknown escape after \\ in double quotes", "невідома послідовність після \\ у подвійних лапках",
        "use single quotes, or write \\\\", "візьміть одинарні лапки або напишіть \\\\",
    ),
    "E101.character": (
        "a control character", "керівний символ", "remove it", "приберіть його",
    ),
    "E101.quote": (
        "a quote is opened here and never closed", "лапки тут відкриті й ніде не закриті",
        "close the quote", "закрийте лапки",
    ),
    "E101.flow": (
        "a comma or the closing brace or bracket is expected here", "тут очікується кома або закривна дужка",
        "close it, or put the text in quotes", "закрийте її або візьміть текст у лапки",
    ),
    "E101.indent": (
        "a key or list item is expected here", "тут очікується ключ або пункт списку",
        "line it up with its neighbours", "вирівняйте його із сусідніми",
    ),
    "E101.after_quote": (
        "text goes on after a closing quote", "після закритих лапок іде текст",
        "put the whole value in double quotes", "візьміть усе значення в подвійні лапки",
    ),
    "E101.no_colon": (
        "a ':' is missing after a key", "після ключа бракує ':'",
        "write key: value", "напишіть ключ: значення",
    ),
    "E101.token": (
        "a value cannot begin with this character", "значення не може починатися з цього символу",
        "put the value in quotes", "візьміть значення в лапки",
    ),
    "E102": (
        "key '{key}' is written twice", "ключ '{key}' написано двічі",
        "the first one stands in line {line}", "перший стоїть у рядку {line}",
    ),
    "E103.anchor": (
        "anchors (&{name}) are not allowed", "якорі (&{name}) не дозволені",
        "write the value out, or put it in quotes", "напишіть значення повністю або візьміть у лапки",
    ),
    "E103.alias": (
        "aliases (*{name}) are not allowed", "посилання (*{name}) не дозволені",
        "write the value out, or put it in quotes", "напишіть значення повністю або візьміть у лапки",
    ),
    "E103.tag": (
        "tags (!) are not allowed", "теги YAML (!) не дозволені",
        "remove the tag, or put the text in quotes", "приберіть тег або візьміть текст у лапки",
    ),
    "E104": (
        "a list or an object cannot be a key", "список або об'єкт не може бути ключем",
        "put the text in quotes", "візьміть текст у лапки",
    ),
    "E104.braces": (
        "{{{{ }}}} outside quotes is read as an object", "{{{{ }}}} без лапок читається як об'єкт",
        "put the whole value in double quotes", "візьміть усе значення в подвійні лапки",
    ),
    "E104.text": (
        "a key is a text, '{value}' is not", "ключ — це текст, а '{value}' — ні",
        "put the key in quotes", "візьміть ключ у лапки",
    ),
    "E104.odd": ("a key has 1 to {most} printable characters", "ключ має від 1 до {most} друкованих символів"),
    "E105.character": (
        "the text holds a character that cannot be stored", "текст містить символ, який не можна зберегти",
        "remove it", "приберіть його",
    ),
    "E105.number": (
        "'{value}' would not stay as it is written when read as a number",
        "'{value}' зміниться, якщо читати його як число",
        "put it in quotes", "візьміть його в лапки",
    ),
    "E106": (
        "the file is too large: {size} bytes of at most {most}", "файл завеликий: {size} байтів із {most} можливих",
        "move steps into a sub-process (run:)", "винесіть кроки в підпроцес (run:)",
    ),
    "E107": (
        "nested more than {most} levels deep", "вкладеність понад {most} рівнів",
        "move steps into a sub-process (run:)", "винесіть кроки в підпроцес (run:)",
    ),
    "E107.where": ("a condition nested more than {most} levels deep", "умова вкладена понад {most} рівнів"),
    "E201": (
        "unknown key '{key}'", "невідомий ключ '{key}'", "known here: {known}", "тут відомі: {known}",
    ),
    "E201.like": ("unknown key '{key}'", "невідомий ключ '{key}'"),
    "E201.then": (
        "unknown key '{key}'", "невідомий ключ '{key}'",
        "steps follow one another; put them into do:", "кроки йдуть один за одним; покладіть їх у do:",
    ),
    "E201.with": (
        "'{key}' is a parameter of the action", "'{key}' — параметр дії",
        "put it under with:", "покладіть його у with:",
    ),
    "E201.comma": (
        "key '{key}' has no value: inside {{ }} a comma begins the next key",
        "ключ '{key}' без значення: у {{ }} кома починає наступний ключ",
        "put the text with the comma in quotes", "візьміть текст із комою в лапки",
    ),
    "E201.param": (
        "action '{action}' has no parameter '{key}'", "дія '{action}' не має параметра '{key}'",
        "it takes: {known}", "вона приймає: {known}",
    ),
    "E201.param_like": ("action '{action}' has no parameter '{key}'", "дія '{action}' не має параметра '{key}'"),
    "E202": ("required key '{key}' is missing", "бракує обов'язкового ключа '{key}'"),
    "E202.one_of": ("one of {keys} is missing", "бракує одного з {keys}"),
    "E202.param": (
        "action '{action}' needs '{key}'", "дії '{action}' потрібен '{key}'",
        "add it to with:", "додайте його у with:",
    ),
    "E202.choices": (
        "an input of type {type} needs choices", "полю типу {type} потрібен перелік choices",
        "list them: choices: [a, b]", "перелічіть їх: choices: [a, b]",
    ),
    "E202.nobody": (
        "nobody may decide this", "нікому вирішувати",
        "name roles, teams or users in by:", "назвіть roles, teams або users у by:",
    ),
    "E203": ("'{name}' must be {wanted}, this is {given}", "'{name}' має бути: {wanted}, а тут {given}"),
    "E203.root": (
        "a definition is an object of keys",
        "визначення — це об'єкт із ключами",
        "begin with: dsl: 1",
        "почніть із: dsl: 1",
    ),
    "E203.yes_no": (
        "'{name}' must be true or false, '{value}' is a text", "'{name}' має бути true або false, а '{value}' — текст",
        "write {suggestion}", "напишіть {suggestion}",
    ),
    "E203.quote": (
        "'{name}' must be a text, this is {given}", "'{name}' має бути текстом, а тут {given}",
        'put it in quotes: "{written}"', 'візьміть у лапки: "{written}"',
    ),
    "E203.nothing": (
        "'{name}' has no value, it must be {wanted}", "'{name}' без значення, має бути: {wanted}",
        "write it, or remove the key", "напишіть його або приберіть ключ",
    ),
    "E203.list": (
        "'{name}' must be a list, this is {given}", "'{name}' має бути списком, а тут {given}",
        "write [{written}]", "напишіть [{written}]",
    ),
    "E203.form": (
        "'{name}' must be {wanted}, this is {given}", "'{name}' має бути: {wanted}, а тут {given}",
        "write {form}", "напишіть {form}",
    ),
    "E203.steps": (
        "'{name}' must be a list of steps, this is {given}", "'{name}' має бути списком кроків, а тут {given}",
        "begin each step with a dash: - call: …", "починайте кожен крок із риски: - call: …",
    ),
    "E203.step": (
        "a step is an object of keys, this is {given}", "крок — це об'єкт із ключами, а тут {given}",
        "write - call: {value}", "напишіть - call: {value}",
    ),
    "E203.id": (
        "'{name}' must be an id, '{value}' is not", "'{name}' має бути id, а '{value}' — ні",
        "use the id of the user, or an input of type operator", "візьміть id користувача або поле типу operator",
    ),
    "E203.empty": ("'{name}' must not be empty", "'{name}' не може бути порожнім"),
    "E203.share": (
        "'{value}' is neither a number nor a share", "'{value}' — не число і не частка",
        "write 50 or 5%", "напишіть 50 або 5%",
    ),
    "E203.param": ("'{name}': {said}", "'{name}': {said}"),
    "E203.default": ("the default does not fit the type {type}", "значення default не відповідає типу {type}"),
    "E203.parameter": ("'{name}' does not fit the type {type}", "'{name}' не відповідає типу {type}"),
    "E204": (
        "'{name}' cannot be '{value}'",
        "'{name}' не може бути '{value}'",
        "choose from: {known}",
        "оберіть із: {known}",
    ),
    "E204.like": ("'{name}' cannot be '{value}'", "'{name}' не може бути '{value}'"),
    "E204.event": (
        "unknown event '{value}'", "невідома подія '{value}'",
    ),
    "E204.custom": (
        "'{value}' is not an event of one's own", "'{value}' — не власна подія",
        "its name begins with custom.", "її назва починається з custom.",
    ),
    "E204.action": ("unknown action '{value}'", "невідома дія '{value}'"),
    "E204.op": (
        "'{op}' cannot be asked of {field}", "'{op}' не можна застосувати до {field}",
        "choose from: {known}", "оберіть із: {known}",
    ),
    "E204.error": ("unknown error type '{value}'", "невідомий тип помилки '{value}'"),
    "E204.timezone": ("unknown time zone '{value}'", "невідомий часовий пояс '{value}'"),
    "E205": (
        "a step has one kind, this one has {kinds}", "крок має один вид, а тут {kinds}",
        "make two steps of it", "зробіть із нього два кроки",
    ),
    "E205.trigger": (
        "a trigger has one type, this one has {kinds}", "тригер має один тип, а тут {kinds}",
        "make two triggers of it", "зробіть із нього два тригери",
    ),
    "E205.one_of": ("only one of {keys} may be given", "можна вказати лише одне з {keys}"),
    "E206": (
        "the step has no kind", "крок не має виду", "add one of: {kinds}", "додайте один із: {kinds}",
    ),
    "E206.foreign": (
        "'{key}' is not a kind of step",
        "'{key}' — не вид кроку",
        "here it is '{suggestion}'",
        "тут це '{suggestion}'",
    ),
    "E206.like": ("'{key}' is not a kind of step", "'{key}' — не вид кроку"),
    "E206.trigger": (
        "the trigger has no type", "тригер не має типу", "add one of: {kinds}", "додайте один із: {kinds}",
    ),
    "E207": (
        "id '{id}' is used twice", "id '{id}' використано двічі",
        "the first one stands in line {line}", "перший стоїть у рядку {line}",
    ),
    "E207.name": (
        "the name '{id}' is taken", "назва '{id}' зайнята", "choose another one", "оберіть іншу",
    ),
    "E208": (
        "'{value}' cannot be an id", "'{value}' не може бути id",
        "small Latin letters, digits and _, a letter first", "малі латинські літери, цифри та _, спершу літера",
    ),
    "E208.name": (
        "'{value}' cannot be a name", "'{value}' не може бути назвою",
        "small Latin letters and digits, joined by -", "малі латинські літери й цифри через -",
    ),
    "E209": (
        "'{value}' is not a duration", "'{value}' — не тривалість",
        "write 30s, 15m, 2h or 3d", "напишіть 30s, 15m, 2h або 3d",
    ),
    "E210": (
        "'{value}' is not a rate", "'{value}' — не швидкість",
        "write 20/s, 300/m or 1000/h", "напишіть 20/s, 300/m або 1000/h",
    ),
    "E211": (
        "'{value}' is not a cron line", "'{value}' — не рядок cron",
        "five fields: minute hour day month weekday, as 0 10 * * 1-5",
        "п'ять полів: хвилина година день місяць день тижня, як 0 10 * * 1-5",
    ),
    "E212": (
        "the pattern cannot be read: {said}", "шаблон не читається: {said}",
        "patterns are those of Rust: no look-around, no back-references",
        "шаблони — як у Rust: без переглядів уперед/назад і зворотних посилань",
    ),
    "E212.large": (
        "the patterns of this definition repeat too much", "шаблони цього визначення забагато повторюють",
        "use [0-9] and [A-Za-z] in place of \\d and \\w, or repeat less",
        "візьміть [0-9] і [A-Za-z] замість \\d і \\w або повторюйте менше",
    ),
    "E506.most": ("'{name}' is more than {most}", "'{name}' більше за {most}"),
    "E506.crossed": (
        "'{low}' is more than '{high}': no answer fits", "'{low}' більше за '{high}': жодна відповідь не підійде",
    ),
    "E506.few": ("'{name}' has fewer than {least} entries", "у '{name}' замало елементів, треба щонайменше {least}"),
    "E506.least": ("'{name}' is less than {least}", "'{name}' менше за {least}"),
}  # fmt: skip
