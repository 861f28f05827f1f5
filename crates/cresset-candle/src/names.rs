//! Names of variables.

use candle_core::Var;
use candle_nn::VarMap;

/// Variables with their paths, in natural order of the paths: `layer2` comes before `layer10`.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    varmap: VarMap,
    vars: Vec<(String, Var)>,
}

impl Names {
    pub(crate) fn from_varmap(varmap: &VarMap) -> Self {
        let mut names = Self { varmap: varmap.clone(), vars: Vec::new() };
        names.refresh();
        names
    }

    /// The variables, those of layers built since the last call included.
    pub(crate) fn vars(&mut self) -> &[(String, Var)] {
        self.refresh();
        &self.vars
    }

    fn refresh(&mut self) {
        let data = self.varmap.data().lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if data.len() == self.vars.len() {
            return;
        }
        self.vars = data.iter().map(|(name, var)| (name.clone(), var.clone())).collect();
        self.vars.sort_by(|(a, _), (b, _)| natural(a).cmp(&natural(b)));
    }
}

/// A path as parts that compare as people read them: each number by its value.
fn natural(name: &str) -> Vec<(String, u64)> {
    let mut parts = vec![(String::new(), 0u64)];
    for c in name.chars() {
        let last = parts.len() - 1;
        match c.to_digit(10) {
            Some(digit) => parts[last].1 = parts[last].1.saturating_mul(10).saturating_add(u64::from(digit)),
            None if name_part_ends(&parts[last]) => parts.push((c.to_string(), 0)),
            None => parts[last].0.push(c),
        }
    }
    parts
}

fn name_part_ends((_, number): &(String, u64)) -> bool {
    *number > 0
}

#[cfg(test)]
mod tests {
    use super::natural;

    #[test]
    fn numbers_sort_by_value() {
        let mut names = ["layer10.conv", "layer2.conv", "layer2.bn", "conv1", "layer1.0.w", "layer1.1.w", "a"];
        names.sort_by_key(|n| natural(n));
        assert_eq!(names, ["a", "conv1", "layer1.0.w", "layer1.1.w", "layer2.bn", "layer2.conv", "layer10.conv"]);
    }
}
