// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/maccracken/hoosh"
)

type embedCmd struct {
	Model      string   `short:"m" placeholder:"NAME" help:"Model, or provider/model. Default: the first local one that is made for it."`
	Dimensions int      `placeholder:"N" help:"Length of the vectors, where the model lets one choose."`
	Text       []string `arg:"" optional:"" help:"Texts; without any, each line of standard input is one."`
}

// Run prints one vector a line, as JSON; with --json the whole answer.
func (c *embedCmd) Run(ctx context.Context, a *app) error {
	texts := c.Text
	if len(texts) == 0 && a.piped {
		in, err := a.stdin(ctx, maxInput)
		if err != nil {
			return err
		}
		for line := range strings.Lines(in) {
			if line = strings.TrimRight(line, "\r\n"); line != "" {
				texts = append(texts, line)
			}
		}
	}
	if len(texts) == 0 {
		return usagef("there is nothing to embed: give texts, or pipe them in, one a line")
	}
	if c.Dimensions < 0 {
		return usagef("--dimensions: want a number of 1 or more")
	}
	e, err := a.open()
	if err != nil {
		return err
	}
	defer e.Close()
	q := &hoosh.Request{Op: hoosh.OpEmbed, Model: c.Model, Dimensions: c.Dimensions}
	if q.Model == "" {
		models, providers, err := settled(ctx, e)
		if err != nil {
			return err
		}
		if q.Model = firstLocal(models, providers, embeds); q.Model == "" {
			return &problem{code: exitNobody, text: "no local model is known to make embeddings", hint: `name one with -m; "hoosh models" lists what there is`}
		}
	}
	for _, t := range texts {
		q.Input = append(q.Input, hoosh.Input{Content: hoosh.NewText(t)})
	}
	reply, resp, err := do(ctx, e, q)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.printResponse(reply, resp)
	}
	for _, v := range resp.Embeddings {
		line, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(a.out, "%s\n", line); err != nil {
			return err
		}
	}
	a.footer(reply, resp)
	return nil
}
