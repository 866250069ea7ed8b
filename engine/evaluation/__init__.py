"""How good a mix is: the papers' metrics, and what simpler systems reach."""
