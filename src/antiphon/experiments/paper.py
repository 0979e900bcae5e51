"""Numbers printed by Veldkamp et al. (2023), and the recipes of their configurations."""

TABLE_1 = {
    "paper-base": {"a2v": 507, "v2a": 502},
    "paper-embedding-512": {"a2v": 494, "v2a": 498},
    "paper-four-layers": {"a2v": 503, "v2a": 501},
    "paper-single-head": {"a2v": 499, "v2a": 497},
    "paper-temperature-0.3": {"a2v": 497, "v2a": 503},
    "paper-autoencoders": {"a2v": 501, "v2a": 500},
}
"""Median ranks of 1000 in table 1, by recipe."""

CONFIGURATIONS = {
    "paper-base": "Base",
    "paper-embedding-512": "Embedding of 512",
    "paper-four-layers": "Four layers",
    "paper-single-head": "Single head, for video",
    "paper-temperature-0.3": "Temperature 0.3",
    "paper-autoencoders": "Autoencoder initialisation",
}
"""Names of the six configurations of experiment 1, by recipe."""

DEVIATIONS = {
    "coded-batch-norm": "Base with batch norm, as coded",
    "coded-frozen-affine": "… with its scale and shift frozen",
    "coded-schedule-not-stepped": "… without stepping the schedule",
    "coded-first-segment-only": "… with the first segment only",
    "coded-all": "… with all three",
}
"""Deviations of the authors' code from the paper, by recipe; all others are compared with the first."""

TABLE_2 = {
    "audio backbone": {"tags": {"roc_auc": 0.78, "f1": 0.22}, "genre": {"roc_auc": 0.79, "f1": 0.18}},
    "video backbone": {"tags": {"roc_auc": 0.66, "f1": 0.09}, "genre": {"roc_auc": 0.68, "f1": 0.05}},
    "both backbones": {"tags": {"roc_auc": 0.78, "f1": 0.24}, "genre": {"roc_auc": 0.82, "f1": 0.21}},
    "contrastive audio": {"tags": {"roc_auc": 0.70, "f1": 0.10}, "genre": {"roc_auc": 0.69, "f1": 0.08}},
    "contrastive video": {"tags": {"roc_auc": 0.61, "f1": 0.09}, "genre": {"roc_auc": 0.63, "f1": 0.04}},
    "contrastive aggregated": {"tags": {"roc_auc": 0.71, "f1": 0.11}, "genre": {"roc_auc": 0.68, "f1": 0.07}},
}
"""Macro ROC-AUC and F1 in table 2, by representation and target. There is no PR-AUC in the paper."""

POOL = 1000
"""Size of the pool in table 1: the authors' batch size."""
