//! Tokens and operators.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use holdfast_schemas::Digest;

use super::Case;
use super::fixtures::{
    certificate, claim, enrolled, enrolment, host, report, sealing_key, time, token,
};
use crate::{Enrolment, OperatorRecord, RedeemError, Revocation, Role, Store, TokenRefusal};

pub(super) const CASES: &[Case] = &[
    ("a token enrols once", once),
    ("the same request again gets an answer again", lost_answer),
    (
        "an old request brings no host back that was revoked, enrolled again or removed",
        no_way_back,
    ),
    ("of many that race with one token, one enrols", race),
    (
        "a token that is unknown, expired or for another host is refused",
        refused,
    ),
    ("an unbound token cannot claim a known name", taken),
    (
        "a bound token enrols a known host again and keeps its history",
        again,
    ),
    ("an operator is known by the digest of the token", operators),
];

fn refusal(store: &Arc<dyn Store>, secret: &str, name: &str, at: i64) -> TokenRefusal {
    let checked = store.check_token(&claim(secret, name, "x"), time(at));
    let redeemed = store.redeem(enrolment(secret, name, "x"), time(at));
    match (checked, redeemed) {
        (Err(RedeemError::Refused(checked)), Err(RedeemError::Refused(refused))) => {
            assert_eq!(checked, refused);
            refused
        }
        other => panic!("not refused: {other:?}"),
    }
}

fn once(store: &Arc<dyn Store>) {
    store.put_token(token("s", None)).unwrap();
    store.check_token(&claim("s", "a", "1"), time(1)).unwrap();
    let record = store.redeem(enrolment("s", "a", "1"), time(1)).unwrap();
    assert_eq!(record.certificates, [certificate("1")]);
    assert_eq!(record.sealing_key, Some(sealing_key("1")));
    assert_eq!(store.host(&host("a")).unwrap(), Some(record));
    assert_eq!(refusal(store, "s", "a", 2), TokenRefusal::Used(host("a")));
    assert_eq!(refusal(store, "s", "b", 2), TokenRefusal::Used(host("a")));
    assert_eq!(store.host(&host("b")).unwrap(), None);
    let used = store
        .token(&Digest::of("s"))
        .unwrap()
        .unwrap()
        .used
        .unwrap();
    assert_eq!((used.host, used.at), (host("a"), time(1)));
}

fn lost_answer(store: &Arc<dyn Store>) {
    store.put_token(token("s", None)).unwrap();
    let first = store.redeem(enrolment("s", "a", "1"), time(1)).unwrap();
    let same = |certificate: &str| Enrolment {
        certificate: super::fixtures::certificate(certificate),
        ..enrolment("s", "a", "1")
    };
    store.check_token(&claim("s", "a", "1"), time(2)).unwrap();
    let second = store.redeem(same("2"), time(2)).unwrap();
    assert_eq!(second.enrolled, first.enrolled, "one enrolment");
    assert_eq!(second.certificates, ["1", "2"].map(certificate));
    for number in 3..50 {
        store.redeem(same(&number.to_string()), time(3)).unwrap();
    }
    let kept = store.host(&host("a")).unwrap().unwrap().certificates;
    assert!(kept.len() < 20 && kept.last() == Some(&certificate("49")));
    assert_eq!(refusal(store, "s", "a", 4), TokenRefusal::Used(host("a")));
    assert_eq!(refusal(store, "s", "b", 4), TokenRefusal::Used(host("a")));
    let late = store.redeem(same("50"), time(3600));
    assert!(matches!(
        late,
        Err(RedeemError::Refused(TokenRefusal::Used(_)))
    ));
}

fn no_way_back(store: &Arc<dyn Store>) {
    let again = |secret: &str, name: &str| {
        let claim = claim(secret, name, "1");
        let checked = store.check_token(&claim, time(9));
        let redeemed = store.redeem(enrolment(secret, name, "1"), time(9));
        let used = |refused| matches!(refused, RedeemError::Refused(TokenRefusal::Used(_)));
        assert!(checked.is_err_and(used) && redeemed.is_err_and(used));
    };
    store.put_token(token("s", None)).unwrap();
    store.redeem(enrolment("s", "a", "1"), time(1)).unwrap();
    let revoke = |record: &mut crate::HostRecord| {
        record.revoked = Some(Revocation {
            at: time(3),
            reason: "stolen".to_owned(),
        });
    };
    store.update_host(&host("a"), Box::new(revoke)).unwrap();
    again("s", "a");
    assert!(store.host(&host("a")).unwrap().unwrap().revoked.is_some());

    store.put_token(token("old", Some("b"))).unwrap();
    store.put_token(token("new", Some("b"))).unwrap();
    store.redeem(enrolment("old", "b", "1"), time(1)).unwrap();
    let newer = store.redeem(enrolment("new", "b", "2"), time(2)).unwrap();
    again("old", "b");
    assert_eq!(store.host(&host("b")).unwrap(), Some(newer));

    store.put_token(token("gone", None)).unwrap();
    store.redeem(enrolment("gone", "c", "1"), time(1)).unwrap();
    store.remove_host(&host("c")).unwrap();
    again("gone", "c");
    assert_eq!(store.host(&host("c")).unwrap(), None);
}

fn race(store: &Arc<dyn Store>) {
    store.put_token(token("s", None)).unwrap();
    let won = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for number in 0..16 {
            let (store, won) = (store, &won);
            scope.spawn(move || {
                let enrolment = enrolment("s", &format!("host-{number}"), "1");
                if store.redeem(enrolment, time(1)).is_ok() {
                    won.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(won.into_inner(), 1);
    assert_eq!(store.count_hosts().unwrap(), 1);
}

fn refused(store: &Arc<dyn Store>) {
    assert_eq!(refusal(store, "none", "a", 1), TokenRefusal::Unknown);
    store.put_token(token("s", Some("a"))).unwrap();
    assert_eq!(
        refusal(store, "s", "b", 1),
        TokenRefusal::WrongHost(host("b"))
    );
    assert_eq!(
        refusal(store, "s", "a", 3600),
        TokenRefusal::Expired(time(3600))
    );
    assert_eq!(store.count_hosts().unwrap(), 0);
    store.redeem(enrolment("s", "a", "1"), time(3599)).unwrap();
}

fn taken(store: &Arc<dyn Store>) {
    let before = enrolled(store, "a");
    store.put_token(token("s", None)).unwrap();
    assert_eq!(
        refusal(store, "s", "a", 1),
        TokenRefusal::NameTaken(host("a"))
    );
    assert_eq!(store.host(&host("a")).unwrap(), Some(before));
    store.redeem(enrolment("s", "b", "1"), time(1)).unwrap();
}

fn again(store: &Arc<dyn Store>) {
    enrolled(store, "a");
    store.append_report(report("a", 1, 10), time(2)).unwrap();
    let revoke = |record: &mut crate::HostRecord| {
        record.revoked = Some(Revocation {
            at: time(3),
            reason: "stolen".to_owned(),
        });
    };
    store.update_host(&host("a"), Box::new(revoke)).unwrap();
    store.put_token(token("s", Some("a"))).unwrap();
    let record = store.redeem(enrolment("s", "a", "2"), time(4)).unwrap();
    assert_eq!(record.certificates, [certificate("2")]);
    assert_eq!(record.sealing_key, Some(sealing_key("2")));
    assert_eq!(record.revoked, None);
    assert_eq!(record.enrolled, time(4));
    assert!(record.reported.is_some());
}

fn operators(store: &Arc<dyn Store>) {
    let operator = |name: &str| OperatorRecord {
        name: name.to_owned(),
        role: Role::Admin,
        token: Digest::of(format!("token of {name}")),
        created: time(0),
    };
    let (ada, bob) = (operator("ada"), operator("bob"));
    store.put_operator(ada.clone()).unwrap();
    store.put_operator(bob.clone()).unwrap();
    assert_eq!(store.operator(&ada.token).unwrap(), Some(ada.clone()));
    assert_eq!(store.operator(&Digest::of("guess")).unwrap(), None);
    assert_eq!(store.operators().unwrap().len(), 2);
    store.remove_operator(&ada.token).unwrap();
    assert_eq!(store.operator(&ada.token).unwrap(), None);
    assert_eq!(store.operators().unwrap(), [bob]);
}
