// Command post answers one CGI request with a url-encoded body.
package main

import (
	"fmt"
	"html"
	"net/http"
	"net/http/cgi"
)

func main() {
	err := cgi.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			panic(err)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<p>%d fields, the last: %s</p>\n", len(r.PostForm), html.EscapeString(r.PostForm.Get("field20")))
	}))
	if err != nil {
		panic(err)
	}
}
