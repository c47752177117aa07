//! One translation from OpenAI to Anthropic: native, in a warm instance, and in a fresh one.
//!
//! `warm` and `fresh` are what an exchange pays: an instance is taken, asked, and given back (or thrown away).

mod sample;

use anthropic_messages::Anthropic;
use causeway::adapter::Pool;
use causeway::domain::Operation;
use divan::{Bencher, black_box};
use plugin_sdk::Adapter;

const SIZES: [usize; 2] = [2 << 10, 50 << 10];

fn main() {
    divan::main();
}

#[divan::bench(args = SIZES)]
fn request_native(bencher: Bencher, bytes: usize) {
    let adapter = Anthropic::configure("{}").expect("options");
    let (body, route) = (sample::request(bytes), sample::route());
    bencher.bench_local(|| adapter.translate_request(black_box(&route), sample::CHAT, black_box(&body)));
}

/// Only the call: the instance is at hand.
#[divan::bench(args = SIZES)]
fn request_call(bencher: Bencher, bytes: usize) {
    let (body, route) = (sample::request(bytes), sample::sandbox_route());
    let mut lease = sample::warm().checkout().expect("an instance");
    let translator = lease.translator().expect("an instance");
    bencher
        .bench_local(|| translator.translate_request(black_box(&route), Operation::Chat, black_box(&body)));
}

#[divan::bench(args = SIZES)]
fn request_warm(bencher: Bencher, bytes: usize) {
    exchange(bencher, &sample::warm(), bytes);
}

#[divan::bench(args = SIZES)]
fn request_fresh(bencher: Bencher, bytes: usize) {
    exchange(bencher, &sample::fresh(), bytes);
}

fn exchange(bencher: Bencher, pool: &Pool, bytes: usize) {
    let (body, route) = (sample::request(bytes), sample::sandbox_route());
    bencher.bench_local(|| {
        let mut lease = pool.checkout().expect("an instance");
        let translator = lease.translator().expect("an instance");
        translator.translate_request(black_box(&route), Operation::Chat, black_box(&body)).expect("a request")
    });
}

#[divan::bench]
fn answer_native(bencher: Bencher) {
    let adapter = Anthropic::configure("{}").expect("options");
    let (body, route) = (sample::answer(), sample::route());
    bencher
        .bench_local(|| adapter.translate_response(black_box(&route), sample::CHAT, &[], black_box(&body)));
}

#[divan::bench]
fn answer_call(bencher: Bencher) {
    let (body, route) = (sample::answer(), sample::sandbox_route());
    let mut lease = sample::warm().checkout().expect("an instance");
    let translator = lease.translator().expect("an instance");
    let headers = http::HeaderMap::new();
    bencher.bench_local(|| {
        translator
            .translate_response(black_box(&route), Operation::Chat, &headers, black_box(&body))
            .expect("an answer")
    });
}
