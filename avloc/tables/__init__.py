"""The paper's tables: recipes, the runs they need, and the comparison of the results."""
