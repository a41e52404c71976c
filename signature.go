// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"hash/maphash"
	"strings"
	"sync"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// Signature is what a backend gives with its thinking, or with a tool call, and
// wants back with it: an opaque text that no other backend understands. Sent to
// another it makes the call fail, so it carries who issued it.
//
// In a client's dialect that is not the issuer's own it is sealed: see
// [Signature.Seal] and [SealID].
type Signature struct {
	// Issuer is the provider that gave it, or the vendor where all providers of
	// one understand each other's. "": it stood unsealed in a body, so it is of
	// that body's dialect.
	Issuer string
	Data   Text
	// Redacted: there is no thinking beside it, for Data is the thinking itself,
	// encrypted.
	Redacted bool
}

func (s *Signature) equal(o *Signature) bool {
	if s == nil || o == nil {
		return s == o
	}
	return s.Issuer == o.Issuer && s.Redacted == o.Redacted && s.Data.Equal(o.Data)
}

// sealMark begins the seal of a field of its own, idMark one at the end of an id.
// An id with a seal has no other characters than ids have anyway.
const (
	sealMark = "hoosh1."
	idMark   = "-hs1"
)

// kinds of seals, a letter each.
const (
	sealCall     = 'c' // the signature of the tool call whose id it is
	sealThinking = 't' // of the thinking before the call
	sealUnsaid   = 'u' // of thinking before the call that showed no text
	sealRedacted = 'r' // that thinking itself
)

var sealCoding = base64.RawURLEncoding

// seal packs issuer and data.
func (s *Signature) seal(kind byte) string {
	issuer := s.Issuer[:min(len(s.Issuer), 255)]
	data := s.Data.String()
	b := make([]byte, 0, 2+len(issuer)+len(data))
	b = append(b, kind, byte(len(issuer)))
	b = append(append(b, issuer...), data...)
	return sealCoding.EncodeToString(b)
}

// unseal is the reverse; nil for what is no seal.
func unseal(text string) (s *Signature, kind byte) {
	b, err := sealCoding.DecodeString(text)
	if err != nil || len(b) < 2 || len(b) < 2+int(b[1]) {
		return nil, 0
	}
	kind = b[0]
	switch kind {
	case sealCall, sealThinking, sealUnsaid, sealRedacted:
	default:
		return nil, 0
	}
	issuer, data := b[2:2+int(b[1])], b[2+int(b[1]):]
	return &Signature{Issuer: string(issuer), Data: NewText(string(data)), Redacted: kind == sealRedacted}, kind
}

// Seal gives the signature, with its issuer, as a text for the field that a
// client's dialect has for signatures. [OpenSignature] reads it.
func (s *Signature) Seal() string {
	kind := byte(sealThinking)
	if s.Redacted {
		kind = sealRedacted
	}
	return sealMark + s.seal(kind)
}

// OpenSignature reads what stands in a signature field of a client's body:
// sealed, or a signature as the dialect's own vendor gives it.
func OpenSignature(field Text) *Signature {
	raw := field.raw
	if raw == nil {
		raw = []byte(field.s)
	}
	if bytes.HasPrefix(raw, []byte(sealMark)) {
		if s, _ := unseal(string(raw[len(sealMark):])); s != nil {
			return s
		}
	}
	return &Signature{Data: field}
}

// SealID puts signatures into the id of a tool call, for clients that keep only
// ids: that of the call itself or else that of the one thinking part before it,
// which must have its whole text: with another one the signature is not taken back.
// Either may be nil. [OpenIDs] reads the result.
func SealID(id string, call *Signature, thinking *Part) string {
	switch {
	case call != nil:
		return id + idMark + call.seal(sealCall)
	case thinking == nil || thinking.Signature == nil:
		return id
	}
	s := thinking.Signature
	switch {
	case s.Redacted:
		return id + idMark + s.seal(sealRedacted)
	case thinking.text.IsEmpty():
		return id + idMark + s.seal(sealUnsaid)
	}
	bound := *s
	bound.Data = NewText(string(binary.BigEndian.AppendUint32(nil, sumOf(thinking.text.String()))) + s.Data.String())
	return id + idMark + bound.seal(sealThinking)
}

// sumOf tells one thinking from another: a signature is of no use with any but its
// own, and clients may join two or keep a part.
func sumOf(thinking string) uint32 { return crc32.ChecksumIEEE([]byte(thinking)) }

// HasSeal reports that ids with a seal, see [SealID], may be among the bytes, which are as
// they stand in JSON.
func HasSeal(b []byte) bool { return bytes.Contains(b, []byte(idMark)) }

// CutID is the id without its seal.
func CutID(id string) string {
	plain, _, _ := openID(id)
	return plain
}

func openID(id string) (plain string, s *Signature, kind byte) {
	i := strings.LastIndex(id, idMark)
	if i < 0 {
		return id, nil, 0
	}
	s, kind = unseal(id[i+len(idMark):])
	if s == nil {
		return id, nil, 0
	}
	return id[:i], s, kind
}

// OpenIDs takes the seals off the ids of the tool calls and results of a decoded
// conversation and puts the signatures where they belong. Codecs call it at the
// end of DecodeRequest. Signatures of thinking whose text the client did not
// keep are lost: a backend would refuse them.
func OpenIDs(ms []Message) {
	for i := range ms {
		m := &ms[i]
		for j := 0; j < len(m.Parts); j++ {
			p := &m.Parts[j]
			switch {
			case p.Kind == PartToolResult && p.Result != nil:
				p.Result.ID = CutID(p.Result.ID)
			case p.Kind == PartToolCall && p.Call != nil:
				id, s, kind := openID(p.Call.ID)
				if s == nil {
					continue
				}
				p.Call.ID = id
				if kind == sealCall {
					p.Signature = s
				} else if m.sign(s, kind) {
					j++ // a part went in before this one
				}
			}
		}
	}
}

// sign gives the message's thinking its signature, and reports that it made the
// part anew.
func (m *Message) sign(s *Signature, kind byte) bool {
	for i := range m.Parts {
		if p := &m.Parts[i]; p.Kind == PartThinking {
			if data := s.Data.String(); p.Signature == nil && kind == sealThinking && len(data) > 4 &&
				binary.BigEndian.Uint32([]byte(data)) == sumOf(p.Text()) {
				s.Data = NewText(data[4:])
				p.Signature = s
			}
			return false
		}
	}
	if kind == sealThinking {
		return false
	}
	m.Parts = append([]Part{{Kind: PartThinking, Signature: s}}, m.Parts...)
	return true
}

// Accepts reports that a backend of this profile understands the signature: it
// has issued it, or nobody says who did and it came in the backend's own
// dialect, from.
func (p *Profile) Accepts(s *Signature, from *Dialect) bool {
	switch {
	case s == nil || s.Data.IsEmpty(): // a seal without a signature tells only whose the thinking is
		return false
	case s.Issuer != "":
		return s.Issuer == p.Issuer
	}
	return (from == nil || from == p.Dialect) && !p.Foreign([]byte(s.Data.String()))
}

// Foreign reports that another backend than this profile's is known to have
// issued the signature, given as it is and not as JSON. Passage asks it, for
// there signatures travel as they are.
func (p *Profile) Foreign(signature []byte) bool {
	issuer := issued.issuer(signature)
	return issuer != "" && issuer != p.Issuer
}

// issued remembers who issued the signatures that passed lately: on same-dialect
// paths they are not sealed, for not a byte of an answer is changed there.
var issued issuers

type issuers struct {
	mu         sync.Mutex
	young, old map[uint64]string
}

// maxIssued bounds a generation; two are kept.
const maxIssued = 1 << 15

var issuedSeed = maphash.MakeSeed()

func (x *issuers) note(signature []byte, issuer string) {
	if len(signature) == 0 {
		return
	}
	h := maphash.Bytes(issuedSeed, signature)
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.young) >= maxIssued || x.young == nil {
		x.old, x.young = x.young, map[uint64]string{}
	}
	x.young[h] = issuer
}

func (x *issuers) issuer(signature []byte) string {
	h := maphash.Bytes(issuedSeed, signature)
	x.mu.Lock()
	defer x.mu.Unlock()
	if s, ok := x.young[h]; ok {
		return s
	}
	return x.old[h]
}

// noteRaw notes a signature as it stands between quotes.
func (x *issuers) noteRaw(raw []byte, issuer string) {
	if jsonpeek.NeedsUnquote(raw) {
		raw = jsonpeek.AppendUnquote(nil, raw)
	}
	x.note(raw, issuer)
}
