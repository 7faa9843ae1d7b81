// Command upload saves a large file: ParseMultipartForm spools it, a copy saves it.
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cgi"
	"os"
)

func main() {
	err := cgi.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			panic(err)
		}
		defer r.MultipartForm.RemoveAll()
		file, _, err := r.FormFile("file")
		if err != nil {
			panic(err)
		}
		target, err := os.Create("upload.bin")
		if err != nil {
			panic(err)
		}
		size, err := io.Copy(target, file)
		if err != nil {
			panic(err)
		}
		if err := target.Close(); err != nil {
			panic(err)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<p>%d bytes saved</p>\n", size)
	}))
	if err != nil {
		panic(err)
	}
}
