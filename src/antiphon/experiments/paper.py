"""What Veldkamp et al. (2023) printed, and which recipes stand for their configurations."""

TABLE_1 = {
    "paper-base": {"a2v": 507, "v2a": 502},
    "paper-embedding-512": {"a2v": 494, "v2a": 498},
    "paper-four-layers": {"a2v": 503, "v2a": 501},
    "paper-single-head": {"a2v": 499, "v2a": 497},
    "paper-temperature-0.3": {"a2v": 497, "v2a": 503},
    "paper-autoencoders": {"a2v": 501, "v2a": 500},
}
"""Median ranks of 1000 as printed in table 1, by the recipe of the configuration."""

CONFIGURATIONS = {
    "paper-base": "Base",
    "paper-embedding-512": "Embedding of 512",
    "paper-four-layers": "Four layers",
    "paper-single-head": "Single head, on the pictures",
    "paper-temperature-0.3": "Temperature 0.3",
    "paper-autoencoders": "Autoencoder initialisation",
}
"""The six configurations of experiment 1 in words, by recipe."""

DEVIATIONS = {
    "coded-batch-norm": "Base with batch norm, as coded",
    "coded-frozen-affine": "… and its scale and shift frozen",
    "coded-schedule-not-stepped": "… and the schedule not stepped",
    "coded-first-segment-only": "… and the first segment only",
    "coded-all": "… and all three",
}
"""What the authors' code does and the paper does not say, by recipe; each but the first is compared with the first."""

TABLE_2 = {
    "audio backbone": {"tags": {"roc_auc": 0.78, "f1": 0.22}, "genre": {"roc_auc": 0.79, "f1": 0.18}},
    "video backbone": {"tags": {"roc_auc": 0.66, "f1": 0.09}, "genre": {"roc_auc": 0.68, "f1": 0.05}},
    "both backbones": {"tags": {"roc_auc": 0.78, "f1": 0.24}, "genre": {"roc_auc": 0.82, "f1": 0.21}},
    "contrastive audio": {"tags": {"roc_auc": 0.70, "f1": 0.10}, "genre": {"roc_auc": 0.69, "f1": 0.08}},
    "contrastive video": {"tags": {"roc_auc": 0.61, "f1": 0.09}, "genre": {"roc_auc": 0.63, "f1": 0.04}},
    "contrastive aggregated": {"tags": {"roc_auc": 0.71, "f1": 0.11}, "genre": {"roc_auc": 0.68, "f1": 0.07}},
}
"""Macro ROC-AUC and F1 as printed in table 2, by representation and target. The paper prints no PR-AUC."""

POOL = 1000
"""Pairs that one query is ranked among in table 1: the authors' batch size."""
