// Command file answers one CGI request with a multipart body.
package main

import (
	"fmt"
	"html"
	"net/http"
	"net/http/cgi"
)

func main() {
	err := cgi.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note := r.FormValue("note")
		_, head, err := r.FormFile("file")
		if err != nil {
			panic(err)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<p>%s: %s, %d bytes</p>\n", html.EscapeString(note), html.EscapeString(head.Filename), head.Size)
	}))
	if err != nil {
		panic(err)
	}
}
