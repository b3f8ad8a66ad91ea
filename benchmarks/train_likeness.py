"""Trains the likeness model: `python -m benchmarks.train_likeness [--root DIR] [--out FILE]`. scikit-learn, for training only.

Learns from what the rule authors wrote and nothing else: a rule's hit examples (its category), its miss examples and the
exemptions' exempt cases ("nothing"). The labelled corpus in tests/ is not training data. Same data, same file, to the byte.

The threshold of proposals is set on held-out texts, three folds, a rule's examples never on both sides: the least share of
certainty at which 90 % of proposals name a category of the right family (held out from their own rule's wording: a hard test).
"""

from __future__ import annotations

import argparse
import io
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression

from semantic_lib.library import Library
from semantic_lib.likeness import BUCKETS, NOTHING, PATH, features
from semantic_lib.load import sound_part
from semantic_lib.normalise import folded

MIN_EXAMPLES = 4  #: of a category, or it is not learned
WANTED_PRECISION = 0.9
LEAST_THRESHOLD = 0.35
FOLDS = 3
_STRENGTH = 20.0  #: inverse of regularisation


def examples(known: Library) -> list[tuple[str, str, str]]:
    """(folded text, label, source rule or exemption), in a fixed order."""
    rows = [
        (folded(e.text), rule.category if e.hit else NOTHING, rule.id)
        for _, rule in sorted(known.rules.items())
        for e in rule.examples
        if e.text
    ]
    rows += [
        (folded(case.text), NOTHING, exemption.id)
        for _, exemption in sorted(known.exemptions.items())
        for case in exemption.cases
        if case.exempt and case.text
    ]
    counts = Counter(label for _, label, _ in rows)
    return [row for row in dict.fromkeys(rows) if counts[row[1]] >= MIN_EXAMPLES]


def matrix(texts: list[str]) -> Any:
    """Texts × buckets, sparse."""
    found = [features(text) for text in texts]
    ends = np.cumsum([0, *(buckets.size for buckets, _ in found)])
    return csr_matrix(
        (np.concatenate([w for _, w in found]), np.concatenate([b for b, _ in found]), ends),
        shape=(len(texts), BUCKETS),
    )


def fitted(known: Any, labels: list[str]) -> LogisticRegression:
    learner = LogisticRegression(C=_STRENGTH, max_iter=60, tol=1e-3, class_weight="balanced")
    learner.fit(known, labels)
    return learner


def threshold(table: Any, rows: list[tuple[str, str, str]], families: dict[str, str]) -> tuple[float, float, float]:
    """(threshold, precision and recall there) on held-out folds."""
    fold_of = np.array([zlib.crc32(source.encode()) % FOLDS for _, _, source in rows])
    labels = np.array([label for _, label, _ in rows])
    scored: list[tuple[float, bool, bool]] = []
    for fold in range(FOLDS):
        learner = fitted(table[fold_of != fold], labels[fold_of != fold].tolist())
        shares = learner.predict_proba(table[fold_of == fold])
        for row, truth in zip(shares, labels[fold_of == fold], strict=True):
            guess = learner.classes_[row.argmax()]
            same = guess == truth or (truth != NOTHING and families.get(guess) == families.get(truth))
            scored.append((float(row.max()), same, guess != NOTHING))
    proposals = sorted(((share, right) for share, right, offence in scored if offence), reverse=True)
    positives = int((labels != NOTHING).sum())
    right = 0
    best = (1.01, 1.0, 0.0)
    for number, (share, is_right) in enumerate(proposals, 1):
        right += is_right
        if share >= LEAST_THRESHOLD and right / number >= WANTED_PRECISION:
            best = (share, right / number, right / positives)
    return best


def write(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """An npz without times of writing, so that the same training gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array, allow_pickle=False)
            package.writestr(zipfile.ZipInfo(f"{name}.npy", (2026, 1, 1, 0, 0, 0)), buffer.getvalue())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--root", type=Path, help="another library of rules")
    parser.add_argument("--out", type=Path, default=PATH)
    options = parser.parse_args()
    known = sound_part(options.root)[0]
    rows = examples(known)
    families = {category.id: category.family for category in known.categories.values()}
    table = matrix([text for text, _, _ in rows])
    level, precision, recall = threshold(table, rows, families)
    learner = fitted(table, [label for _, label, _ in rows])
    scale = np.abs(learner.coef_).max(axis=1) / 127
    weights = np.rint(learner.coef_ / scale[:, None]).astype(np.int8)
    write(
        options.out,
        {
            "labels": np.array([str(label) for label in learner.classes_]),
            "weights": weights,
            "scale": scale.astype(np.float32),
            "bias": learner.intercept_.astype(np.float32),
            "threshold": np.array(round(min(level, 1.0), 4), dtype=np.float64),
        },
    )
    print(f"{len(rows)} texts, {len(learner.classes_)} labels, {options.out.stat().st_size / 1024:.0f} KB")
    print(f"proposals from {level:.3f}: held-out precision {precision:.3f}, recall {recall:.3f}")


if __name__ == "__main__":
    main()
