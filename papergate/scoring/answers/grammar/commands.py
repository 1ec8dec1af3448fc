"""Commands and words that more than one part of the grammar knows."""

CONJUNCTIONS = {"and", "or"}
RELATIONS = {
    "=": "=", "<": "<", ">": ">", "le": "<=", "ge": ">=", "ne": "!=", "in": "in", "equiv": "=", "approx": "~",
    "parallel": "parallel", "perp": "perp", "cong": "cong", "sim": "sim", "subset": "subset", "subseteq": "subset",
}  # fmt: skip
GREEK = {
    "alpha", "beta", "gamma", "delta", "varepsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu",
    "xi", "rho", "sigma", "tau", "varphi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Sigma", "Phi",
    "Psi", "Omega", "ell", "hbar", "vartheta", "varrho", "nabla", "partial", "odot", "prime", "upsilon", "Pi", "Xi",
}  # fmt: skip
FUNCTIONS = {
    "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "log", "ln", "lg",
    "exp", "gcd", "lcm", "max", "min", "arccot", "arcsinh", "arccosh", "arctanh", "arg", "Re", "Im", "det", "cis",
}  # fmt: skip
INVERSES = {
    "sin": "arcsin",
    "cos": "arccos",
    "tan": "arctan",
    "cot": "arccot",
    "sinh": "arcsinh",
    "cosh": "arccosh",
    "tanh": "arctanh",
}
COUNTS = {"C": "binomial", "P": "arrangements", "A": "arrangements"}
ACCENTS = {
    "vec", "hat", "bar", "overline", "tilde", "widehat", "overrightarrow", "dot", "ddot", "widetilde",
}  # fmt: skip
FENCES = {"lfloor": ("rfloor", "floor"), "lceil": ("rceil", "ceil"), "langle": ("rangle", "tuple")}
DENIALS = {  # they change all they touch
    "wrong", "incorrect", "false", "not", "never", "without", "except", "impossible", "most", "least",
    "fewer", "than", "below", "above", "exceeding", "fails", "rejected", "extraneous", "invalid", "mistaken", "不对",
    "错", "错误", "不正确", "doubled", "halved", "tripled",
    "inverse", "reciprocal", "opposite", "cannot", "以上", "以下", "以内", "舍去", "舍",
}  # fmt: skip
SERIES = {"sum": "sum", "prod": "product", "int": "integral", "lim": "limit"}
