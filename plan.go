// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import "time"

// Plan says where a call would go, and why nowhere else. The live path decides
// by the same function.
type Plan struct {
	Model      string      `json:"model"`           // as asked for
	Route      string      `json:"route"`           // the rule that matched: "route gpt-*", "alias fast", "model", "provider openai"
	Strategy   string      `json:"strategy"`        //
	Needs      string      `json:"needs,omitempty"` // what the call needs of a backend
	Candidates []Candidate `json:"candidates"`      // first those that would be tried, in order, then the others
}

// Candidate is one backend in a [Plan].
type Candidate struct {
	Provider string `json:"provider"`
	Model    string `json:"model"` // as the backend knows it
	State    State  `json:"state"`
	Tried    bool   `json:"tried"`  // it would be tried
	Reason   string `json:"reason"` // why at this place, or why not
}

// ProviderStatus is what is known of one backend now.
type ProviderStatus struct {
	Name       string        `json:"name"`
	Driver     string        `json:"driver"`
	Local      bool          `json:"local"`
	BaseURL    string        `json:"base_url,omitempty"`
	State      State         `json:"state"`
	Problem    string        `json:"problem,omitempty"` // of the last failure, while it lasts
	LastOK     time.Time     `json:"last_ok,omitzero"`
	LastFail   time.Time     `json:"last_fail,omitzero"`
	InFlight   int           `json:"in_flight"`
	Models     int           `json:"models"`                // how many it lists
	FirstEvent time.Duration `json:"first_event,omitempty"` // moving average, in ns
	Total      time.Duration `json:"total,omitempty"`       // likewise
	Discovered bool          `json:"discovered,omitempty"`
	Costs      bool          `json:"costs,omitempty"` // a remote: a call may cost money
}

// State is how well a backend is.
type State uint8

// The states.
const (
	StateUnknown       State = iota // nothing was heard of it yet: it is tried like one that is online
	StateOnline                     // its last answer was good
	StateSuspect                    // it failed lately: tried after the others
	StateOffline                    // it has failed for long: not tried, but for a trial now and then
	StateMisconfigured              // it refuses its key: not tried, but for a trial now and then
	StateDisabled                   // by configuration
)

func (s State) String() string {
	return [...]string{"unknown", "online", "suspect", "offline", "misconfigured", "disabled"}[min(s, StateDisabled)]
}

// MarshalText gives the name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a name; one that it does not know is [StateUnknown].
func (s *State) UnmarshalText(text []byte) error {
	*s = StateUnknown
	for t := StateUnknown; t <= StateDisabled; t++ {
		if t.String() == string(text) {
			*s = t
		}
	}
	return nil
}
