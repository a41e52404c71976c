// SPDX-License-Identifier: AGPL-3.0-only

// Command two is a program with two drivers, to see what it links.
package main

import (
	"fmt"

	"github.com/maccracken/hoosh"
	_ "github.com/maccracken/hoosh/providers/llamacpp"
	_ "github.com/maccracken/hoosh/providers/ollama"
)

func main() {
	for _, d := range hoosh.Drivers() {
		fmt.Println(d.Name)
	}
}
