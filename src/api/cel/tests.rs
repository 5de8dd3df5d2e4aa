//! Expressions, and what comes out of them.

use proptest::prelude::*;

use super::*;

fn out(source: &str) -> String {
    let object = Type::object(vec![
        ("name", Type::Text),
        ("count", Type::Int),
        ("items", Type::list(Type::Int)),
        ("labels", Type::map(Type::Text)),
    ]);
    let json = serde_json::json!({
        "name": "abc", "count": 3, "items": [1, 2, 3], "labels": {"a": "x", "b": "y"},
    });
    let value = object.value(&json, &Identity::Place);
    match Program::compile(source, &[("self", object), ("any", Type::Dyn)]) {
        Err(words) => words,
        Ok(program) => {
            let any = untyped(&json);
            match program.eval(&[("self", value), ("any", any)], &mut Meter::default()) {
                Ok(value) => format!("{value:?}"),
                Err(stop) => stop.words().to_owned(),
            }
        }
    }
}

#[test]
fn what_holds() {
    for source in [
        "self.count == 3 && self.name == 'abc'",
        "self.items.all(i, i > 0) && self.items.exists(i, i == 2)",
        "self.items.exists_one(i, i == 2)",
        "self.items.map(i, i * 2) == [2, 4, 6]",
        "self.items.map(i, i > 1, i * 2) == [4, 6]",
        "self.items.filter(i, i > 1) == [2, 3]",
        "self.labels.all(k, k in ['a', 'b'] && self.labels[k] in ['x', 'y'])",
        "has(self.labels.a) && !has(self.labels.c)",
        "self.labels.?c.orValue('z') == 'z'",
        "self.labels[?'a'].hasValue() && !self.labels[?'c'].hasValue()",
        "optional.of(3).optMap(v, v + 1).value() == 4",
        "optional.none().or(optional.of(1)).orValue(2) == 1",
        "self.name.startsWith('a') && self.name.matches('^a.c$')",
        "self.name.find('[b-c]+') == 'bc' && 'a1b22'.findAll('[0-9]+') == ['1', '22']",
        "'aXbXc'.split('X') == ['a', 'b', 'c'] && ['a', 'b'].join('-') == 'a-b'",
        "'tacocat'.substring(4) == 'cat' && 'tacocat'.substring(0, 4) == 'taco'",
        "'hello'.charAt(1) == 'e' && 'hello'.indexOf('l') == 2 && 'hello'.lastIndexOf('l') == 3",
        "'%s is %d and %.2f'.format(['x', 3, 1.5]) == 'x is 3 and 1.50'",
        "self.items.isSorted() && self.items.sum() == 6 && self.items.max() == 3",
        "[1, 2].indexOf(2) == 1 && sets.contains([1, 2], [2]) && !sets.intersects([1], [2])",
        "quantity('1Gi').isGreaterThan(quantity('500Mi')) && quantity('1k').asInteger() == 1000",
        "quantity('100m').add(quantity('400m')).compareTo(quantity('0.5')) == 0",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && ip('::1').family() == 6",
        "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && isIP('1.2.3.4') && !isIP('1.2.3')",
        "url('https://a.b:80/c?d=e').getHost() == 'a.b:80' && isURL('/x') && !isURL('x y')",
        "url('https://a.b:80/c?d=e').getQuery() == {'d': ['e']}",
        "duration('1h') > duration('59m') && timestamp('2024-01-02T03:04:05Z').getFullYear() == 2024",
        "timestamp('2024-01-02T00:00:00Z') + duration('24h') == timestamp('2024-01-03T00:00:00Z')",
        "1 != 2 && dyn(2) == 2.0",
        "dyn(1) == dyn(1.0) && 1 < 1.5",
        "int('3') + 4 == 7 && string(3) == '3' && double(3) == 3.0 && size('héé') == 3",
        "type(self.count) == int && type('') == string",
        "!format.dns1123Label().validate('a-b').hasValue()",
        "format.named('dns1123Label').value().validate('A').hasValue()",
        "any.count == 3 && any.items[0] == 1 && any.labels.a == 'x'",
        "(1 / 0 == 1) || true",
        "[1, 0].exists(x, 1 / x == 1)",
        "true ? true : false",
        "r'\\d' == '\\\\d' && b'abc' == bytes('abc')",
        "{'a': 1}.a == 1 && {'a': 1}['a'] == 1",
        "'a' in {'a': 1}",
        "9223372036854775807 > 0 && -9223372036854775808 < 0",
        "ip('192.168.0.1').isGlobalUnicast()",
    ] {
        assert_eq!(out(source), "Bool(true)", "{source}");
    }
}

#[test]
fn what_is_wrong_is_told_in_upstreams_words() {
    for (source, words) in [
        (
            "self.nothing",
            "ERROR: <input>:1:5: undefined field 'nothing'\n | self.nothing\n | ....^",
        ),
        (
            "other == 1",
            "ERROR: <input>:1:1: undeclared reference to 'other' (in container '')\n | other == 1\n | ^",
        ),
        (
            "self.count > 'a'",
            "ERROR: <input>:1:12: found no matching overload for '_>_' applied to '(int, string)'\n | \
             self.count > 'a'\n | ...........^",
        ),
        (
            "self.name.startsWith(1)",
            "ERROR: <input>:1:21: found no matching overload for 'startsWith' applied to \
             'string.(int)'\n | self.name.startsWith(1)\n | ....................^",
        ),
        (
            "self.name.nothing()",
            "ERROR: <input>:1:18: undeclared reference to 'nothing' (in container '')\n | \
             self.name.nothing()\n | .................^",
        ),
        (
            "self.count.all(x, true)",
            "ERROR: <input>:1:5: expression of type 'int' cannot be range of a comprehension (must be \
             list, map, or dynamic)\n | self.count.all(x, true)\n | ....^",
        ),
        ("1 / 0 == 1", "division by zero"),
        ("self.items[5] == 1", "index out of bounds: 5"),
        ("any.nothing == 1", "no such key: nothing"),
        ("9223372036854775807 + 1 > 0", "integer overflow"),
        ("any.name > 1", "no such overload"),
    ] {
        assert_eq!(out(source), words, "{source}");
    }
    assert!(out("self.name.matches('(')").contains("invalid matches argument"));
    assert!(
        out("self.name ==").starts_with("ERROR: <input>:1:13: Syntax error:"),
        "{}",
        out("self.name ==")
    );
    let zone = "timestamp('2024-01-02T03:04:05Z').getHours('Europe/Paris') == 4";
    assert!(out(zone).contains("known by how far they are from UTC only"), "{}", out(zone));
    assert!(out("[1, 'a'] == []").contains("expected type 'int' but found 'string'"));
}

#[test]
fn no_evaluation_takes_long() {
    let nested = |depth: usize| {
        let list = "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]";
        let open = (0..depth).map(|at| format!("{list}.all(v{at}, ")).collect::<Vec<_>>().concat();
        open + "true" + &")".repeat(depth)
    };
    assert_eq!(out(&nested(2)), "Bool(true)");
    assert_eq!(out(&nested(8)), "operation cancelled: actual cost limit exceeded");
    let doubled = (0..60).fold("['aaaaaaaaaa']".to_owned(), |text, _| text + ".map(x, x + x)");
    assert_eq!(out(&doubled), "operation cancelled: actual cost limit exceeded");
    for deep in [
        "(".repeat(4000),
        "!".repeat(400) + "true",
        "1".to_owned() + &"+1".repeat(450),
        "true?1:".repeat(450) + "1",
        "self".to_owned() + &".a".repeat(480),
        "[".repeat(90) + &"]".repeat(90),
        "-".repeat(499) + "1",
        "true".to_owned() + &"&&true".repeat(5000),
        "[1].map(a,".repeat(60) + "a" + &")".repeat(60),
    ] {
        out(&deep);
    }
}

/// Pieces that texts are made of, so that more of them say something.
const PIECES: &[&str] = &[
    "self",
    "any",
    ".name",
    ".count",
    ".items",
    ".labels",
    ".?a",
    "[0]",
    "['a']",
    "[?0]",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "?",
    ":",
    ",",
    "&&",
    "||",
    "!",
    "-",
    "+",
    "*",
    "/",
    "%",
    "==",
    "<",
    " in ",
    "0",
    "1",
    "9223372036854775807",
    "-9223372036854775808",
    "1u",
    "1e308",
    "'a'",
    "'é%s'",
    "b'\\xff'",
    "''",
    "true",
    "null",
    ".all(x, ",
    ".map(x, ",
    ".exists_one(x, ",
    ".filter(x, ",
    "x",
    "has(",
    "size(",
    "optional.of(",
    ".orValue(",
    ".optMap(x, ",
    ".matches(",
    ".find('a*')",
    ".split('')",
    ".format([1, 'a'])",
    ".substring(1)",
    ".replace('', 'b')",
    ".lastIndexOf('', 1)",
    "duration('1h')",
    "timestamp('9999-12-31T23:59:59Z')",
    ".getHours('-23:59')",
    "quantity('9E')",
    ".add(",
    ".sum()",
    "cidr('0.0.0.0/0')",
    "ip('::1')",
    ".masked()",
    ".containsIP(",
    "url('http://a:1/b?c=%20')",
    ".getQuery()",
    "int(",
    "uint(",
    "double(",
    "string(",
    "dyn(",
    "type(",
    ".min()",
    "lists",
    "//",
    "\n",
];

proptest! {
    #[test]
    fn any_text_comes_to_something(text in any::<String>()) {
        out(&text);
    }

    #[test]
    fn whatever_looks_like_an_expression_comes_to_something(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 1..16),
    ) {
        out(&pieces.concat());
    }
}
