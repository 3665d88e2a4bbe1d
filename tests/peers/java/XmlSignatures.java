// XML signatures by the JDK's own implementation (javax.xml.crypto, secure validation on). One job
// per line of standard input, its fields divided by tabs; one line of answer each.
//
//   verify CERTIFICATE.pem FILE                         valid | invalid, for all its signatures
//   sign KIND ALGORITHM SIGNER.p12 PASSWORD FILE TARGET signed
//
// KIND document: an enveloped signature over the whole document; voucher: over the element called
// Voucher, by its Id, as its last child; batch: FILE is a signature over files beside it, to be made
// anew; xades: FILE is an enveloped signature that says something about itself in its Object, to be
// made anew; anything else: in the WS-Security header, over Body and Timestamp by their wsu:Ids, with a
// reference to the BinarySecurityToken. What does not work out answers "failed: …".

import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import javax.xml.crypto.OctetStreamData;
import javax.xml.crypto.URIReferenceException;
import javax.xml.crypto.XMLStructure;
import javax.xml.crypto.dom.DOMCryptoContext;
import javax.xml.crypto.dom.DOMStructure;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.DigestMethod;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.Transform;
import javax.xml.crypto.dsig.XMLObject;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.crypto.dsig.keyinfo.KeyInfoFactory;
import javax.xml.crypto.dsig.spec.C14NMethodParameterSpec;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

public class XmlSignatures {
    static final String OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-";
    static final String WSSE = OASIS + "wssecurity-secext-1.0.xsd";
    static final String WSU = OASIS + "wssecurity-utility-1.0.xsd";
    static final XMLSignatureFactory FACTORY = XMLSignatureFactory.getInstance("DOM");

    public static void main(String[] none) throws Exception {
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = lines.readLine()) != null; ) {
            String[] job = line.split("\t");
            String answer;
            try {
                if (job[0].equals("verify")) answer = valid(job[1], job[2]) ? "valid" : "invalid";
                else { sign(job[1], job[2], job[3], job[4].toCharArray(), job[5], job[6]); answer = "signed"; }
            } catch (Exception failure) {
                answer = ("failed: " + failure + " " + failure.getCause()).replaceAll("\\s+", " ");
            }
            System.out.println(answer);
        }
    }

    static boolean valid(String certificate, String file) throws Exception {
        var key = CertificateFactory.getInstance("X.509")
            .generateCertificate(new FileInputStream(certificate)).getPublicKey();
        Document document = parsed(file);
        NodeList found = document.getElementsByTagNameNS(XMLSignature.XMLNS, "Signature");
        boolean valid = found.getLength() > 0;
        for (int i = 0; i < found.getLength(); i++) {
            var context = new DOMValidateContext(key, found.item(i));
            prepare(context, document, file);
            valid &= FACTORY.unmarshalXMLSignature(context).validate(context);
        }
        return valid;
    }

    static void sign(String kind, String algorithm, String signer, char[] password, String file, String target)
            throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(new FileInputStream(signer), password);
        String alias = store.aliases().nextElement();
        X509Certificate certificate = (X509Certificate) store.getCertificate(alias);
        PrivateKey key = (PrivateKey) store.getKey(alias, password);

        Document document = parsed(file);
        Node parent = document.getDocumentElement();
        List<Reference> references = new ArrayList<>();
        List<XMLObject> objects = new ArrayList<>();
        String name = null;
        KeyInfoFactory info = FACTORY.getKeyInfoFactory();
        XMLStructure named = info.newX509Data(List.of(certificate));
        if (kind.equals("document")) {
            references.add(reference("", true));
        } else if (kind.equals("voucher")) {
            Element voucher = only(document, "*", "Voucher");
            parent = voucher;
            references.add(reference("#" + voucher.getAttribute("Id"), true));
        } else if (kind.equals("xades")) {
            Element old = only(document, XMLSignature.XMLNS, "Signature");
            Element about = only(document, "*", "QualifyingProperties");
            String properties = "#" + only(document, "*", "SignedProperties").getAttribute("Id");
            name = old.getAttribute("Id");
            objects.add(FACTORY.newXMLObject(List.of(new DOMStructure(about)), null, null, null));
            references.add(reference("", true));
            references.add(reference(properties, false, "http://uri.etsi.org/01903#SignedProperties"));
            parent.removeChild(old);
        } else if (kind.equals("batch")) {
            NodeList told = document.getElementsByTagNameNS(XMLSignature.XMLNS, "Reference");
            for (int i = 0; i < told.getLength(); i++)
                references.add(FACTORY.newReference(((Element) told.item(i)).getAttribute("URI"),
                    FACTORY.newDigestMethod(DigestMethod.SHA256, null)));
            document.removeChild(parent);
            parent = document;
        } else {
            parent = only(document, WSSE, "Security");
            references.add(reference("#" + only(document, "*", "Body").getAttributeNS(WSU, "Id"), false));
            references.add(reference("#" + only(document, WSU, "Timestamp").getAttributeNS(WSU, "Id"), false));
            named = new DOMStructure(toToken(document));
        }
        var context = new DOMSignContext(key, parent);
        prepare(context, document, file);
        var signed = FACTORY.newSignedInfo(
            FACTORY.newCanonicalizationMethod(
                CanonicalizationMethod.EXCLUSIVE, (C14NMethodParameterSpec) null),
            FACTORY.newSignatureMethod(algorithm, null),
            references);
        FACTORY.newXMLSignature(signed, info.newKeyInfo(List.of(named)), objects, name, null)
            .sign(context);
        try (var out = new FileOutputStream(target)) {
            TransformerFactory.newInstance().newTransformer()
                .transform(new DOMSource(document), new StreamResult(out));
        }
    }

    static Reference reference(String uri, boolean enveloped) throws Exception {
        return reference(uri, enveloped, null);
    }

    static Reference reference(String uri, boolean enveloped, String type) throws Exception {
        List<Transform> transforms = new ArrayList<>();
        if (enveloped)
            transforms.add(FACTORY.newTransform(Transform.ENVELOPED, (TransformParameterSpec) null));
        transforms.add(
            FACTORY.newTransform(CanonicalizationMethod.EXCLUSIVE, (TransformParameterSpec) null));
        return FACTORY.newReference(
            uri, FACTORY.newDigestMethod(DigestMethod.SHA256, null), transforms, type, null);
    }

    static Element toToken(Document document) {
        Element token = only(document, WSSE, "BinarySecurityToken");
        Element found = document.createElementNS(WSSE, "wsse:SecurityTokenReference");
        Element reference = document.createElementNS(WSSE, "wsse:Reference");
        reference.setAttribute("URI", "#" + token.getAttributeNS(WSU, "Id"));
        reference.setAttribute("ValueType", token.getAttribute("ValueType"));
        found.appendChild(reference);
        return found;
    }

    /** Tells how References are followed: by ids in the document, or to the files beside it. */
    static void prepare(DOMCryptoContext context, Document document, String file) {
        context.setURIDereferencer((reference, of) -> {
            if (reference.getURI().isEmpty() || reference.getURI().startsWith("#")) {
                // Not before: what a new signature says about itself is in the document only now.
                declareIds(context, document);
                return FACTORY.getURIDereferencer().dereference(reference, of);
            }
            try {
                Path content = Path.of(file).resolveSibling(reference.getURI());
                return new OctetStreamData(new FileInputStream(content.toFile()));
            } catch (FileNotFoundException absent) {
                throw new URIReferenceException(absent);
            }
        });
    }

    static void declareIds(DOMCryptoContext context, Document document) {
        NodeList all = document.getElementsByTagName("*");
        for (int i = 0; i < all.getLength(); i++) {
            Element element = (Element) all.item(i);
            if (element.hasAttribute("Id")) context.setIdAttributeNS(element, null, "Id");
            if (element.hasAttributeNS(WSU, "Id")) context.setIdAttributeNS(element, WSU, "Id");
        }
    }

    static Element only(Document document, String namespace, String name) {
        NodeList found = document.getElementsByTagNameNS(namespace, name);
        if (found.getLength() != 1) throw new IllegalArgumentException(found.getLength() + " " + name);
        return (Element) found.item(0);
    }

    static Document parsed(String file) throws Exception {
        var factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        return factory.newDocumentBuilder().parse(new FileInputStream(file));
    }
}
