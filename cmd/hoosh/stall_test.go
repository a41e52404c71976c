// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maccracken/hoosh/hooshtest"
)

// TestRefusalsDoNotWait: an answer that needs no body comes though the body does
// not, and the connection is let go.
func TestRefusalsDoNotWait(t *testing.T) {
	for _, head := range []string{"Content-Length: 100\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n64\r\n{"} {
		synctest.Test(t, func(t *testing.T) {
			l := hooshtest.NewListener("localhost")
			s := &http.Server{Handler: paced(http.NotFoundHandler(), bodyStall)}
			go s.Serve(l)
			conn, err := l.Dial()
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			if _, err := io.WriteString(conn, "POST /nowhere HTTP/1.1\r\nHost: localhost\r\n"+head); err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(bufio.NewReader(conn)) // to the end of the connection
			if took := time.Since(start); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 404") || took > 5*time.Second {
				t.Errorf("after %v: %v %q", took, err, answer)
			}
			conn.Close()
			s.Close()
		})
	}
}
