//! Names of variables.

use std::cmp::Ordering;
use std::fmt;

use candle_core::Var;
use candle_nn::VarMap;

/// Variables with their paths, in natural order of the paths: `layer2` comes before `layer10`.
pub(crate) struct Names {
    varmap: VarMap,
    vars: Vec<(String, Var)>,
}

impl Names {
    pub(crate) fn from_varmap(varmap: &VarMap) -> Self {
        Self {
            varmap: varmap.clone(),
            vars: Vec::new(),
        }
    }

    /// Takes in the variables of layers built since the last call; `true` if there are any.
    pub(crate) fn refresh(&mut self) -> bool {
        let data = self.varmap.data();
        let data = data
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if data.len() == self.vars.len() {
            return false;
        }
        self.vars = data
            .iter()
            .map(|(name, var)| (name.clone(), var.clone()))
            .collect();
        self.vars.sort_by(|(a, _), (b, _)| natural_order(a, b));
        true
    }

    /// The variables known so far.
    pub(crate) fn vars(&self) -> &[(String, Var)] {
        &self.vars
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.vars.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

/// Compares as people read: each run of digits by its value, everything else by its characters.
fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (digits_a, digits_b) = (leading_digits(a), leading_digits(b));
        if !digits_a.is_empty() && !digits_b.is_empty() {
            let order = by_value(digits_a, digits_b);
            if order.is_ne() {
                return order;
            }
            (a, b) = (&a[digits_a.len()..], &b[digits_b.len()..]);
            continue;
        }
        let (mut rest_a, mut rest_b) = (a.chars(), b.chars());
        match (rest_a.next(), rest_b.next()) {
            (Some(x), Some(y)) if x == y => (a, b) = (rest_a.as_str(), rest_b.as_str()),
            (x, y) => return x.cmp(&y),
        }
    }
}

fn leading_digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit());
    &text[..end.unwrap_or(text.len())]
}

/// Compares numbers of any length; of equal ones, that with fewer leading zeros comes first.
fn by_value(a: &str, b: &str) -> Ordering {
    let significant = |digits: &str| digits.trim_start_matches('0').len();
    (significant(a).cmp(&significant(b)))
        .then_with(|| a.trim_start_matches('0').cmp(b.trim_start_matches('0')))
        .then_with(|| a.len().cmp(&b.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};
    use candle_nn::VarBuilder;

    #[test]
    fn numbers_sort_by_value() {
        let sorted = [
            "a",
            "conv1",
            "layer1.0.conv",
            "layer1.1.conv",
            "layer1.10.conv",
            "layer2.bn",
            "layer2.conv",
            "layer02.conv",
            "layer10.conv",
            "layer99999999999999999999999.conv",
            "é",
        ];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                assert_eq!(natural_order(a, b), i.cmp(&j), "{a} and {b}");
            }
        }
    }

    #[test]
    fn variables_of_later_layers_are_found() -> candle_core::Result<()> {
        let varmap = VarMap::new();
        let vb = VarBuilder::from_varmap(&varmap, DType::F32, &Device::Cpu);
        let mut names = Names::from_varmap(&varmap);
        assert!(!names.refresh());
        candle_nn::linear(2, 2, vb.pp("head"))?;
        assert!(names.refresh() && !names.refresh());
        candle_nn::linear(2, 2, vb.pp("body"))?;
        assert!(names.refresh());
        let found: Vec<&str> = names.vars().iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            found,
            ["body.bias", "body.weight", "head.bias", "head.weight"]
        );
        Ok(())
    }
}
