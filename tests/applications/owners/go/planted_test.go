package planted

import (
	"os"
	"testing"
)

func TestSum(t *testing.T) {
	if 40+2 != 42 {
		t.Fatal("sum")
	}
}

func TestMissingFile(t *testing.T) {
	if _, err := os.ReadFile("/proc/kallsyms"); err != nil {
		t.Fatal(err)
	}
}
