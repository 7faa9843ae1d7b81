// Command get answers one CGI request with net/http/cgi.
package main

import (
	"fmt"
	"html"
	"net/http"
	"net/http/cgi"
)

func main() {
	err := cgi.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<p>Hello, %s!</p>\n", html.EscapeString(r.URL.Query().Get("name")))
	}))
	if err != nil {
		panic(err)
	}
}
