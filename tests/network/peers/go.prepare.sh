export GOCACHE=$PWD/cache GOPATH=$PWD/go GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local CGO_ENABLED=0 HOME=$PWD
mkdir m; cd m
printf 'module example.org/m\n\ngo 1.19\n' > go.mod
cat > main.go <<'END'
package main

import (
	"bytes"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"
)

func serve(address string) {
	http.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) })
	panic(http.ListenAndServe(address, nil))
}

func get(url string) string {
	r, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(r.Body)
	return string(b)
}

func main() {
	host := os.Getenv("H")
	address := net.JoinHostPort(host, "8080")
	if os.Args[1] == "serve" {
		serve(address)
	}
	var group sync.WaitGroup
	var lock sync.Mutex
	good := 0
	for i := 0; i < 100; i++ {
		group.Add(1)
		go func(path string) {
			defer group.Done()
			if get("http://"+address+path) == path {
				lock.Lock()
				good++
				lock.Unlock()
			}
		}(fmt.Sprintf("/%d", i))
	}
	group.Wait()
	fmt.Println("many", good)
	body := bytes.Repeat([]byte("0123456789abcdef"), 400000)
	r, err := http.Post("http://"+address+"/echo", "application/octet-stream", bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	back, _ := io.ReadAll(r.Body)
	fmt.Println("echo", md5.Sum(back) == md5.Sum(body))
	_, err = net.DialTimeout("tcp", net.JoinHostPort(host, "9"), time.Minute)
	fmt.Println("refused", errors.Is(err, syscall.ECONNREFUSED))
	c, err := net.Dial("tcp", address)
	if err != nil {
		panic(err)
	}
	c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	_, err = c.Read(make([]byte, 1))
	fmt.Println("deadline", os.IsTimeout(err))
}
END
go build -o ../prog . ; cd ..; chmod -R u+w go cache 2>/dev/null || true; rm -rf go cache
