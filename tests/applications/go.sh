export HOME=$PWD GOCACHE=$PWD/cache GOPATH=$PWD/go GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local CGO_ENABLED=0
mkdir -p m/greet && cd m
printf 'module example.org/m\n\ngo 1.19\n' > go.mod
cat > greet/greet.go <<'END'
package greet

import "strings"

// Hello greets.
func Hello(name string) string { return "hello " + strings.ToUpper(name) }
END
cat > greet/greet_test.go <<'END'
package greet

import (
	"sync"
	"testing"
	"time"
)

func TestHello(t *testing.T) {
	if Hello("x") != "hello X" {
		t.Fatal(Hello("x"))
	}
}

func TestMany(t *testing.T) {
	t.Parallel()
	var group sync.WaitGroup
	for i := 0; i < 200; i++ {
		group.Add(1)
		go func() { defer group.Done(); time.Sleep(time.Millisecond) }()
	}
	group.Wait()
}
END
cat > main.go <<'END'
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"

	"example.org/m/greet"
)

func main() {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, greet.Hello(r.URL.Path[1:])) }))
	defer s.Close()
	r, err := http.Get(s.URL + "/world")
	if err != nil {
		panic(err)
	}
	b, _ := io.ReadAll(r.Body)
	out, err := exec.Command("echo", "child").Output()
	fmt.Println(string(b), string(out), err)
}
END
go vet ./... && go build -o prog . && ./prog
go test ./... 2>&1 | sed 's/[0-9.]*s$//' | grep -c '^ok'
go list -deps . | grep -c . > deps; [ "$(cat deps)" -gt 50 ]
