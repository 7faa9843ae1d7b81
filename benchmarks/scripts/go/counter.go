// Command counter counts a visit: flock, read, write a new file, rename it.
package main

import (
	"fmt"
	"net/http"
	"net/http/cgi"
	"os"
	"strconv"
	"strings"
	"syscall"
)

func increment(path string) (int, error) {
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return 0, err
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	count, err := strconv.Atoi(strings.TrimSpace(string(old)))
	if err != nil {
		return 0, err
	}
	count++
	if err := os.WriteFile(path+".new", []byte(strconv.Itoa(count)+"\n"), 0o644); err != nil {
		return 0, err
	}
	return count, os.Rename(path+".new", path)
}

func main() {
	err := cgi.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		digits, err := strconv.Atoi(r.URL.Query().Get("digits"))
		if err != nil {
			panic(err)
		}
		count, err := increment("data/count.dat")
		if err != nil {
			panic(err)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<p>You are visitor number <b>%0*d</b></p>\n", digits, count)
	}))
	if err != nil {
		panic(err)
	}
}
