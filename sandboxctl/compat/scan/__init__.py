"""A static look at programs: which system calls their machine code, and that of their libraries, can make."""
