"""The experiments of Veldkamp et al. (2023), as data plus a thin runner."""
