"""csource.py: just enough reading of C for the lints: code without comments and literals, functions, structs.

No preprocessor runs: directives are blanked, and both sides of an #if are read.
"""
import bisect
import pathlib
import re
from dataclasses import dataclass, field

LITERAL_OR_COMMENT = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
DIRECTIVE = re.compile(r'^[ \t]*#(?:\\\n|[^\n])*', re.MULTILINE)
TOKEN = re.compile(r'[A-Za-z_]\w*|\d[\w.]*|->|&&|\|\||<<=?|>>=?|[-+*/%&|^=!<>]=|\+\+|--|\S')
CONTROL = {'if', 'for', 'while', 'switch'}


def blank(text):
    """Spaces of the same length; line ends stay."""
    return re.sub(r'[^\n]', ' ', text)


@dataclass
class Token:
    text: str
    line: int


@dataclass
class Function:
    name: str
    line: int  # of the first word of its head
    end_line: int
    is_static: bool
    parameters: int
    body: list = field(repr=False)  # tokens between the braces


@dataclass
class Struct:
    name: str
    line: int
    fields: int


class Source:
    """One C file: `code` has the text's lines and columns, with comments and literals blanked."""

    def __init__(self, path, text=None):
        self.path = pathlib.Path(path)
        self.text = self.path.read_text(errors='replace') if text is None else text
        self.comments = []  # (line, text)
        starts = [0] + [m.end() for m in re.finditer('\n', self.text)]
        self._line_of = lambda offset: bisect.bisect_right(starts, offset)

        def take(match):
            if match[0][0] == '/':
                self.comments.append((self._line_of(match.start()), match[0]))
                return blank(match[0])
            return match[0][0] + blank(match[0][1:-1]) + match[0][0]

        self.code = LITERAL_OR_COMMENT.sub(take, self.text)
        self.tokens = self.tokens_of(DIRECTIVE.sub(lambda m: blank(m[0]), self.code))
        self.functions, self.structs = [], []
        self.table_lines = 0  # lines of initialisers at top level: data, not code
        self._read_top_level()

    def tokens_of(self, code):
        return [Token(m[0], self._line_of(m.start())) for m in TOKEN.finditer(code)]

    def calls(self):
        """(name, line) of everything that looks like a call of a plain function, in code and in macros."""
        all_tokens = self.tokens_of(self.code)
        for before, token, after in zip([Token('', 0)] + all_tokens, all_tokens, all_tokens[1:]):
            if after.text == '(' and before.text not in ('.', '->') and re.match(r'[A-Za-z_]', token.text):
                yield token.text, token.line

    def macro_words(self):
        """The words of its preprocessor lines."""
        return {token.text for m in DIRECTIVE.finditer(self.code) for token in self.tokens_of(m[0])}

    def _read_top_level(self):
        head, i = [], 0
        while i < len(self.tokens):
            token = self.tokens[i]
            if token.text == ';':
                head = []
            elif token.text == '{':
                end = matching(self.tokens, i)
                body = self.tokens[i + 1:end]
                if any(t.text == '=' for t in head):
                    self.table_lines += self.tokens[min(end, len(self.tokens) - 1)].line - token.line
                if not self._read_function(head, body, end) and self._read_struct(head, body):
                    head = head[:1]  # 'typedef struct x { } name;': what follows belongs to the same declaration
                else:
                    head = []
                i = end
            else:
                head.append(token)
            i += 1

    def _read_function(self, head, body, end):
        opening = next((k for k, t in enumerate(head) if t.text == '(' and k and is_name(head[k - 1].text)
                        and head[k - 1].text != '__attribute__'), None)
        if opening is None or any(t.text == '=' for t in head):
            return False
        parameters = head[opening + 1:matching(head, opening)]
        commas = sum(1 for t, depth in with_depth(parameters) if t.text == ',' and depth == 0)
        words = [t.text for t in parameters]
        end = min(end, len(self.tokens) - 1)
        self.functions.append(Function(head[opening - 1].text, head[0].line, self.tokens[end].line,
                                       any(t.text == 'static' for t in head[:opening]),
                                       0 if words in ([], ['void']) else commas + 1, body))
        return True

    def _read_struct(self, head, body):
        words = [t.text for t in head]
        if '=' in words or not {'struct', 'union'} & set(words):
            return False
        fields = 0
        for token, depth in with_depth(body, '([', ')]'):
            if depth == 0 and token.text in (';', ','):
                fields += 1
        name = next((w for w in reversed(words) if is_name(w) and w not in ('struct', 'union')), '(unnamed)')
        self.structs.append(Struct(name, head[0].line, fields))
        return True


def is_name(text):
    return re.match(r'[A-Za-z_]', text) is not None


def matching(tokens, opening):
    """Index of the bracket that closes tokens[opening], or of the end."""
    pairs = {'(': ')', '{': '}', '[': ']'}
    left, right = tokens[opening].text, pairs[tokens[opening].text]
    depth = 0
    for i in range(opening, len(tokens)):
        depth += (tokens[i].text == left) - (tokens[i].text == right)
        if depth == 0:
            return i
    return len(tokens)


def with_depth(tokens, left='([{', right=')]}'):
    """Each token with the number of brackets that are open around it."""
    depth = 0
    for token in tokens:
        if token.text in right:
            depth -= 1
        yield token, depth
        if token.text in left:
            depth += 1


def complexity(function):
    """Decisions + 1. A switch counts once, however many cases: a flat table of cases is easy to read."""
    return 1 + sum(1 for t in function.body if t.text in CONTROL | {'&&', '||', '?'})


def nesting(function):
    """Blocks within blocks; the body itself is 0. Braces of initialisers do not count."""
    deepest, open_braces, tokens = 0, [], function.body
    for i, token in enumerate(tokens):
        if token.text == '{':
            open_braces.append(opens_block(tokens, i, open_braces))
            deepest = max(deepest, sum(open_braces))
        elif token.text == '}' and open_braces:
            open_braces.pop()
    return deepest


def opens_block(tokens, i, open_braces):
    before = tokens[i - 1].text if i else ';'
    if before == ')':
        depth, k = 0, i - 1
        while k >= 0:
            depth += (tokens[k].text == ')') - (tokens[k].text == '(')
            if depth == 0:
                break
            k -= 1
        return k > 0 and tokens[k - 1].text in CONTROL
    if before == '{':
        return not open_braces or open_braces[-1]
    return before in (';', '}', 'else', 'do', ':')


def c_files(root, folders=('src', 'tests', 'fuzz', 'bench')):
    """Paths of the C files under these folders of the project, in order; samples of bad code left out."""
    root = pathlib.Path(root)
    for folder in folders:
        for path in sorted((root / folder).rglob('*.[ch]')):
            if 'bad' not in path.relative_to(root).parts:
                yield path
