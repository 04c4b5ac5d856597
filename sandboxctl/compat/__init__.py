"""Will my program run? What a program asks the kernel for, against what the sandbox offers."""
