//! Integer arithmetic, as between `$((` and `))`.

/// Deeper nesting is refused.
const MAX_DEPTH: u32 = 40;

/// Where the variables live.
pub trait Variables {
    /// A variable's number; 0 if it has none.
    fn get(&self, name: &str) -> i64;
    /// Gives a variable a number.
    fn set(&mut self, name: &str, value: i64);
}

/// Evaluates `text`.
///
/// # Errors
///
/// What the shell says, such as `divide by zero` or `arithmetic syntax error`.
pub fn evaluate(text: &str, variables: &mut dyn Variables) -> Result<i64, &'static str> {
    let mut machine = Machine { rest: text, variables, live: true, depth: 0 };
    machine.blanks();
    if machine.rest.is_empty() {
        return Ok(0);
    }
    let value = machine.comma()?;
    machine.blanks();
    if machine.rest.is_empty() { Ok(value) } else { Err(SYNTAX) }
}

const SYNTAX: &str = "arithmetic syntax error";

/// From loosest to tightest; the longer of two operators that begin alike stands first.
const BINARY: [&[&str]; 10] = [
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

const ASSIGN: [&str; 11] = ["=", "+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "|=", "^="];

struct Machine<'a> {
    rest: &'a str,
    variables: &'a mut dyn Variables,
    /// Whether effects count: not on the untaken side of `&&`, `||` and `?:`.
    live: bool,
    depth: u32,
}

type Value = Result<i64, &'static str>;

impl<'a> Machine<'a> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, text: &str) -> bool {
        self.blanks();
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn comma(&mut self) -> Value {
        let mut value = self.assignment()?;
        while self.eat(",") {
            value = self.assignment()?;
        }
        Ok(value)
    }

    fn name(&mut self) -> Option<&'a str> {
        self.blanks();
        let first = self.rest.chars().next()?;
        if !(first.is_ascii_alphabetic() || first == '_') {
            return None;
        }
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let (name, rest) = self.rest.split_at_checked(end.unwrap_or(self.rest.len()))?;
        self.rest = rest;
        Some(name)
    }

    fn set(&mut self, name: &str, value: i64) {
        if self.live {
            self.variables.set(name, value);
        }
    }

    fn assignment(&mut self) -> Value {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("expression recursion level exceeded");
        }
        let start = self.rest;
        if let Some(name) = self.name() {
            self.blanks();
            let operator = ASSIGN.into_iter().find(|op| {
                self.rest.starts_with(op) && !(*op == "=" && self.rest.starts_with("=="))
            });
            if let Some(operator) = operator {
                self.eat(operator);
                let right = self.assignment()?;
                let value = match operator.strip_suffix('=') {
                    Some("") | None => right,
                    Some(binary) => self.apply(binary, self.variables.get(name), right)?,
                };
                self.set(name, value);
                self.depth -= 1;
                return Ok(value);
            }
            self.rest = start;
        }
        let value = self.ternary()?;
        self.depth -= 1;
        Ok(value)
    }

    fn ternary(&mut self) -> Value {
        let condition = self.binary(0)?;
        if !self.eat("?") {
            return Ok(condition);
        }
        let live = self.live;
        self.live = live && condition != 0;
        let yes = self.comma()?;
        if !self.eat(":") {
            return Err(SYNTAX);
        }
        self.live = live && condition == 0;
        let no = self.assignment()?;
        self.live = live;
        Ok(if condition != 0 { yes } else { no })
    }

    fn operator(&mut self, level: usize) -> Option<&'static str> {
        self.blanks();
        let found = BINARY.get(level)?.iter().find(|op| self.rest.starts_with(**op))?;
        let after = self.rest.get(found.len()..)?;
        // `|` is not the beginning of `||`, nor `<` that of `<<`, and no operator assigns here.
        let other = match *found {
            "|" | "&" | "<" | ">" => after.starts_with(*found) || after.starts_with('='),
            "==" | "!=" | "<=" | ">=" | "&&" | "||" => false,
            _ => after.starts_with('='),
        };
        (!other).then_some(*found)
    }

    fn binary(&mut self, level: usize) -> Value {
        if level == BINARY.len() {
            return self.power();
        }
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.operator(level) {
            self.eat(operator);
            let live = self.live;
            match operator {
                "||" => self.live = live && left == 0,
                "&&" => self.live = live && left != 0,
                _ => {}
            }
            let right = self.binary(level + 1)?;
            left = self.apply(operator, left, right)?;
            self.live = live;
        }
        Ok(left)
    }

    fn power(&mut self) -> Value {
        let base = self.unary()?;
        if !self.eat("**") {
            return Ok(base);
        }
        let exponent = u32::try_from(self.power()?).map_err(|_negative| "exponent less than 0")?;
        Ok(base.wrapping_pow(exponent))
    }

    fn apply(&self, operator: &str, left: i64, right: i64) -> Value {
        let shift = u32::try_from(right & 63).unwrap_or(0);
        Ok(match operator {
            "||" => i64::from(left != 0 || right != 0),
            "&&" => i64::from(left != 0 && right != 0),
            "|" => left | right,
            "^" => left ^ right,
            "&" => left & right,
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "<<" => left.wrapping_shl(shift),
            ">>" => left.wrapping_shr(shift),
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            "/" | "%" if right == 0 && self.live => return Err("divide by zero"),
            "/" if right != 0 => left.wrapping_div(right),
            "%" if right != 0 => left.wrapping_rem(right),
            _ => 0,
        })
    }

    fn unary(&mut self) -> Value {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("expression recursion level exceeded");
        }
        let value = self.unary_inner();
        self.depth -= 1;
        value
    }

    fn unary_inner(&mut self) -> Value {
        for (operator, step) in [("++", 1), ("--", -1)] {
            let start = self.rest;
            if self.eat(operator) {
                if let Some(name) = self.name() {
                    let value = self.variables.get(name).wrapping_add(step);
                    self.set(name, value);
                    return Ok(value);
                }
                self.rest = start;
            }
        }
        if self.eat("-") {
            return Ok(self.unary()?.wrapping_neg());
        }
        if self.eat("+") {
            return self.unary();
        }
        if self.eat("~") {
            return Ok(!self.unary()?);
        }
        self.blanks();
        if self.rest.starts_with('!') && !self.rest.starts_with("!=") {
            self.eat("!");
            return Ok(i64::from(self.unary()? == 0));
        }
        self.primary()
    }

    fn primary(&mut self) -> Value {
        if self.eat("(") {
            let value = self.comma()?;
            return if self.eat(")") { Ok(value) } else { Err(SYNTAX) };
        }
        if let Some(name) = self.name() {
            let value = self.variables.get(name);
            for (operator, step) in [("++", 1), ("--", -1)] {
                if self.eat(operator) {
                    self.set(name, value.wrapping_add(step));
                    break;
                }
            }
            return Ok(value);
        }
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(end).ok_or(SYNTAX)?;
        self.rest = rest;
        number(digits).ok_or(SYNTAX)
    }
}

/// A decimal, octal (`010`) or hexadecimal (`0x10`) number.
pub fn number(digits: &str) -> Option<i64> {
    let lower = digits.to_ascii_lowercase();
    match lower.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None if lower.len() > 1 && lower.starts_with('0') => i64::from_str_radix(&lower, 8).ok(),
        None => lower.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    impl Variables for BTreeMap<String, i64> {
        fn get(&self, name: &str) -> i64 {
            BTreeMap::get(self, name).copied().unwrap_or(0)
        }
        fn set(&mut self, name: &str, value: i64) {
            self.insert(name.to_owned(), value);
        }
    }

    #[test]
    fn expressions_have_the_values_that_c_gives_them() {
        for (text, want) in [
            ("", Ok(0)),
            ("1 + 2 * 3", Ok(7)),
            ("(1+2)*3", Ok(9)),
            ("7 / 2 - 7 % 2", Ok(2)),
            ("2 ** 10", Ok(1024)),
            ("-2 + +3", Ok(1)),
            ("!0 + ~0", Ok(0)),
            ("1 << 4 | 1", Ok(17)),
            ("3 < 4 && 4 <= 4 || 0", Ok(1)),
            ("1 ? 2 : 3", Ok(2)),
            ("x = 5, x += 2, x++, x", Ok(8)),
            ("++x * 2", Ok(2)),
            ("0x10 + 010", Ok(24)),
            ("0 && (x = 1), x", Ok(0)),
            ("1 || 1 / 0", Ok(1)),
            ("1 / 0", Err("divide by zero")),
            ("1 +", Err(SYNTAX)),
            ("1 2", Err(SYNTAX)),
            ("08", Err(SYNTAX)),
            ("9223372036854775807 + 1", Ok(i64::MIN)),
        ] {
            let mut variables = BTreeMap::new();
            assert_eq!(evaluate(text, &mut variables), want, "{text}");
        }
        assert!(evaluate(&"(".repeat(10_000), &mut BTreeMap::new()).is_err());
        assert!(evaluate(&"-".repeat(10_000), &mut BTreeMap::new()).is_err());
    }
}
