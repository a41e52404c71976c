// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maccracken/hoosh/hooshtest"
)

func TestListenGuards(t *testing.T) {
	for _, where := range []string{"0.0.0.0:0", ":0", "[::]:0"} {
		if ln, err := listen(t.Context(), where, false); err == nil {
			ln.Close()
			t.Errorf("%s was bound without keys", where)
		}
		ln, err := listen(t.Context(), where, true)
		if err != nil {
			if strings.HasPrefix(where, "[") {
				continue // no IPv6 here
			}
			t.Errorf("%s with keys: %v", where, err)
			continue
		}
		if url := baseURL(ln); where != "[::]:0" && !strings.HasPrefix(url, "http://127.0.0.1:") {
			t.Errorf("%s is reached at %s", where, url)
		}
		ln.Close()
	}
	for _, where := range []string{"127.0.0.1:0", "localhost:0"} {
		ln, err := listen(t.Context(), where, false)
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		ln.Close()
	}
}

// sendBody sends a request whose body comes in pieces, with a pause before each,
// and gives the status and the text of the answer.
func sendBody(t *testing.T, conn net.Conn, size int, pieces int, pause time.Duration) (string, error) {
	t.Helper()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", size*pieces)
	sent := make(chan struct{})
	defer func() {
		conn.Close()
		<-sent
	}()
	go func() {
		defer close(sent)
		for range pieces {
			time.Sleep(pause)
			if _, err := conn.Write(make([]byte, size)); err != nil {
				return
			}
		}
	}()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.Status + " " + string(text), err
}

func TestPacedBodies(t *testing.T) {
	tests := []struct {
		name   string
		size   int
		pieces int
		pause  time.Duration
		want   string
	}{
		{"at once", 1000, 1, 0, "200 OK all of 1000"},
		{"slow and steady, for longer than one silence may last", 1 << 20, 20, 20 * time.Second, "200 OK all of 20971520"},
		{"stalled", 1000, 2, bodyStall + time.Second, "400 Bad Request cut"},
		{"a byte now and then", 1, 100, bodyStall / 2, "400 Bad Request cut"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ln := hooshtest.NewListener("test")
				handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					n, err := io.Copy(io.Discard, r.Body)
					if err != nil {
						w.WriteHeader(http.StatusBadRequest)
						fmt.Fprint(w, "cut")
						return
					}
					// An answer that takes its time is not the body's affair.
					select {
					case <-time.After(10 * bodyStall):
						fmt.Fprintf(w, "all of %d", n)
					case <-r.Context().Done():
						t.Error("the request was ended after its body")
					}
				})
				server := &http.Server{Handler: paced(handler, bodyStall), IdleTimeout: time.Minute}
				done := make(chan error, 1)
				go func() { done <- server.Serve(ln) }()
				conn, err := ln.DialContext(t.Context(), "", "")
				if err != nil {
					t.Fatal(err)
				}
				got, err := sendBody(t, conn, tt.size, tt.pieces, tt.pause)
				if err != nil || got != tt.want {
					t.Errorf("%q, %v; want %q", got, err, tt.want)
				}
				server.Close()
				<-done
			})
		})
	}
}
