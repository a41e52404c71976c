// SPDX-License-Identifier: AGPL-3.0-only

package config

import "github.com/maccracken/hoosh"

// entry is what there is to say of a key beyond its type.
type entry struct {
	about  string   // one sentence, for an editor to show
	values []string // all that it may be
	least  *int     // of a number
	most   *int
	zero   bool // zero is a choice here, not the default
	secret bool // its values are never shown
	needed bool // what holds it is nothing without it
}

// keys describes every key of this version. A [] in a name is a list's item, or
// a mapping's value.
var keys = map[string]entry{
	"version":   {about: "Version of this format.", least: hoosh.Ptr(1), most: hoosh.Ptr(1)},
	"data":      {about: "Folder for what outlasts the process. Empty: memory only; the command then uses the platform's state folder."},
	"server":    {about: "The HTTP server."},
	"discover":  {about: "What is looked for besides the providers listed. In the command, with no providers listed, local and environment are true."},
	"providers": {about: "The backends."},
	"routes":    {about: "Where models lead. Exact names come before patterns, and of patterns the one with the most literal characters; then the order here."},
	"aliases":   {about: "Other names of models: name to model, or to provider/model."},
	"aliases[]": {about: "A model, or provider/model."},
	"keys":      {about: "Who may call. With none, only this machine may."},
	"health":    {about: "When a backend counts as well."},
	"observe":   {about: "What is written for the operator."},

	"server.listen":                 {about: "Where to listen: host:port. Off loopback it needs keys, or insecure."},
	"server.hosts":                  {about: "Host names accepted without a key, besides those of loopback."},
	"server.hosts[]":                {about: "A host name."},
	"server.cors":                   {about: "Origins that may call from a browser."},
	"server.cors[]":                 {about: "An origin, such as https://app.example.net."},
	"server.insecure":               {about: "With no key configured: listen off loopback and serve any peer, Host and Origin."},
	"server.keepalive":              {about: "How long a stream is silent before a comment is sent on it."},
	"server.drain":                  {about: "Time for streams to end after SIGTERM."},
	"server.limits":                 {about: "What a client can make the server hold."},
	"server.limits.body":            {about: "Most bytes of a request body."},
	"server.limits.headers":         {about: "Most bytes of a request's headers."},
	"server.limits.depth":           {about: "How deep the JSON of a body may nest.", least: hoosh.Ptr(1), most: hoosh.Ptr(256)},
	"server.limits.event":           {about: "Most bytes of one event of a stream."},
	"server.limits.streams_per_key": {about: "Most calls at once of one key.", least: hoosh.Ptr(1), most: hoosh.Ptr(1_000_000)},

	"discover.local":       {about: "Look for engines on this machine, by what they answer."},
	"discover.environment": {about: "Add a remote for each vendor's key in the environment."},
	"discover.every":       {about: "How often local engines are looked for again."},

	"providers[]":                      {about: "One backend."},
	"providers[].name":                 {about: "Its name, and the prefix in openai/gpt-4o-mini.", needed: true},
	"providers[].driver":               {about: "What kind of backend it is. Default: the name."},
	"providers[].base_url":             {about: "Where it is: http or https, without user, query and fragment. Default: the driver's."},
	"providers[].key":                  {about: "Its key: a string, best ${VARIABLE}, or {file: PATH}."},
	"providers[].models":               {about: "Names and patterns of what it serves. Default: what it lists."},
	"providers[].models[]":             {about: `A name or a pattern, such as "gpt-*".`},
	"providers[].priority":             {about: "The lower is tried first. Default: 0 for local drivers, 100 for remote ones.", least: hoosh.Ptr(0), zero: true},
	"providers[].weight":               {about: "Its share under the strategies weighted and least-busy. Default: 1.", least: hoosh.Ptr(0), zero: true},
	"providers[].trust":                {about: "Where its data goes. Default: by the address that is dialled.", values: []string{"", "local", "private", "remote"}},
	"providers[].timeouts":             {about: "Bounds in time for each exchange with it."},
	"providers[].timeouts.connect":     {about: "Until the connection stands."},
	"providers[].timeouts.first_event": {about: "Until the first content, or the head of a whole answer. Default of a local driver: 10m."},
	"providers[].timeouts.idle":        {about: "Between two reads of a stream."},
	"providers[].timeouts.total":       {about: "For the whole exchange."},
	"providers[].headers":              {about: "Headers sent on each request.", secret: true},
	"providers[].headers[]":            {about: "The header's value."},
	"providers[].disabled":             {about: "Never use it."},

	"routes[]":                   {about: "Where some models lead."},
	"routes[].match":             {about: "Exact names and patterns; case matters.", needed: true},
	"routes[].match[]":           {about: `A name or a pattern, such as "gpt-*".`},
	"routes[].to":                {about: "Backends in order of preference.", needed: true},
	"routes[].to[]":              {about: "provider/model, or provider/* to keep the name asked for; or both target and weight."},
	"routes[].to[].target":       {about: "provider/model, or provider/* to keep the name asked for.", needed: true},
	"routes[].to[].weight":       {about: "Its share under the strategies weighted and least-busy. Default: the provider's.", least: hoosh.Ptr(0), zero: true},
	"routes[].on_unsupported":    {about: "What becomes of a call that a backend cannot be told wholly.", values: []string{"drop", "refuse"}},
	"routes[].strategy":          {about: "How the backend is chosen.", values: hoosh.Strategies},
	"routes[].retry":             {about: "How often and how long a call is tried."},
	"routes[].retry.attempts":    {about: "Rounds through the backends, the first included.", least: hoosh.Ptr(1), most: hoosh.Ptr(10), zero: true},
	"routes[].retry.backoff":     {about: "Before the second round; doubled for each further one, with jitter."},
	"routes[].retry.max":         {about: "The longest backoff."},
	"routes[].retry.retry_after": {about: "The longest Retry-After of a backend that is waited for."},
	"routes[].retry.total":       {about: "No new attempt after it."},

	"keys[]":             {about: "A caller's key. It has a secret or a hash."},
	"keys[].name":        {about: "What logs call it.", needed: true},
	"keys[].secret":      {about: "The key itself: a string, best ${VARIABLE}, or {file: PATH}."},
	"keys[].hash":        {about: "sha256: and the 64 hexadecimal digits of the key's SHA-256."},
	"keys[].models":      {about: "Names and patterns of the models it may ask for. Default: all."},
	"keys[].models[]":    {about: `A name or a pattern, such as "gpt-*".`},
	"keys[].providers":   {about: "Names and patterns of the providers it may use. Default: all."},
	"keys[].providers[]": {about: `A provider's name or a pattern, such as "local-*".`},

	"health.probe":   {about: "How often a backend without traffic is probed. 0s, the default of the library: never; the command's default is 15s.", zero: true},
	"health.suspect": {about: "So long without an answer, after a failure: tried last."},
	"health.offline": {about: "So long: not tried, but for a trial now and then."},

	"observe.log":        {about: "The command's log."},
	"observe.log.level":  {about: "The least that is written.", values: []string{"debug", "info", "warn", "error"}},
	"observe.log.format": {about: "auto: text on a terminal, else JSON.", values: []string{"auto", "text", "json"}},
}

// later are keys of the format that this version does not have. A file may
// rightly hold them, so they are refused in words of their own.
var later = set(
	"server.admin", "server.tls", "server.limits.audio",
	"providers[].limits", "providers[].tls", "providers[].caller_keys", "providers[].allow_private",
	"routes[].fallbacks", "routes[].hedge", "routes[].affinity", "routes[].cache", "routes[].continue",
	"keys[].surfaces", "keys[].pools", "keys[].limits", "keys[].privacy", "keys[].priority", "keys[].tags", "keys[].may", "keys[].admin", "keys[].cache", "keys[].expires",
	"pools", "budgets", "limits", "model_limits", "prices",
	"health.breaker",
	"queue", "cache", "privacy", "context", "tools", "journal", "speech", "engines", "hardware", "events",
	"observe.metrics", "observe.otlp", "observe.log.content",
)

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, name := range names {
		m[name] = true
	}
	return m
}
