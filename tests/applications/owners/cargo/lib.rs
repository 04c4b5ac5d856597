#[cfg(test)]
mod tests {
    #[test]
    fn sum() {
        assert_eq!(40 + 2, 42);
    }

    #[test]
    fn missing_file() {
        std::fs::read("/proc/kallsyms").unwrap();
    }
}
