"""Writes expected.rs: what scikit-learn says of the passes that pass.rs generates.

Usage: pip install scikit-learn==1.9.1; python scikit_learn.py > expected.rs

The numbers come from SplitMix64 (Steele, Lea, Flood 2014), so that both sides make the same ones from a seed. Of each row,
the first gives the target, skewed towards the first class; the following, one a class, the logits in [-3, 3), the
target's raised by 1.5, rounded to multiples of `grid` where that is not zero.
"""

import sys

import numpy as np
import sklearn
from sklearn import metrics

# name, seed, rows, classes, classes that occur as target, grid
PASSES = [
    ("continuous", 1, 500, 4, 4, 0.0),
    ("tied", 2, 400, 3, 3, 0.5),
    ("binary", 3, 300, 2, 2, 0.0),
    ("absent_class", 4, 200, 3, 2, 0.25),
]
MASK = (1 << 64) - 1


def splitmix(state):
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield ((z ^ (z >> 31)) >> 11) / (1 << 53)


def generate(seed, rows, classes, occurring, grid):
    u = splitmix(seed)
    logits, targets = [], []
    for _ in range(rows):
        target = int(next(u) ** 2 * occurring)
        row = [next(u) * 6.0 - 3.0 + (1.5 if c == target else 0.0) for c in range(classes)]
        logits.append([round(z / grid) * grid for z in row] if grid else row)
        targets.append(target)
    return np.array(logits, dtype=np.float32), np.array(targets)


def expected(name, seed, rows, classes, occurring, grid):
    logits, y = generate(seed, rows, classes, occurring, grid)
    z = logits.astype(np.float64)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    loss = metrics.log_loss(y, p, labels=range(classes))
    # Sums in another order make equal answers differ in the last bits.
    p = p.round(12)
    said = logits.argmax(axis=1)
    each = metrics.precision_recall_fscore_support(y, said, labels=range(classes), zero_division=np.nan)
    macro = metrics.precision_recall_fscore_support(y, said, average="macro", zero_division=0)
    areas = [(metrics.roc_auc_score(y == c, p[:, c]), metrics.average_precision_score(y == c, p[:, c]))
             if (y == c).any() else (np.nan, np.nan) for c in range(classes)]
    number = lambda v: "f64::NAN" if np.isnan(v) else repr(float(v))
    print(f"    Expected {{ name: {name!r}, seed: {seed}, rows: {rows}, classes: {classes}, occurring: {occurring}, grid: {grid!r},"
          .replace("'", '"'))
    print(f"        accuracy: {number(metrics.accuracy_score(y, said))}, loss: {number(loss)},")
    print(f"        macro_precision: {number(macro[0])}, macro_recall: {number(macro[1])}, macro_f1: {number(macro[2])},")
    print("        each: &[")
    for c in range(classes):
        values = [each[0][c], each[1][c], each[2][c], *areas[c]]
        print(f"            ({each[3][c]}, [{', '.join(map(number, values))}]),")
    print("        ],")
    print(f"        confusion: &{metrics.confusion_matrix(y, said, labels=range(classes)).flatten().tolist()},")
    print("    },")


print(f"//! Written by scikit_learn.py with scikit-learn {sklearn.__version__} and numpy {np.__version__}; see there.\n")
print("use super::pass::Expected;\n")
print("pub(super) const EXPECTED: &[Expected] = &[")
for one in PASSES:
    expected(*one)
print("];")
sys.stdout.flush()
