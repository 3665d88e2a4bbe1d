// XML signatures by the JDK's own implementation (javax.xml.crypto, secure validation on).
//
//   java XmlSignatures.java verify CERTIFICATE.pem FILE...     a line per signature: FILE valid|invalid
//   java XmlSignatures.java sign SIGNER.p12 PASSWORD FILE...   FILE.signed: FILE with an enveloped
//                                                              signature over its root
//
// An attribute "Id" of a signature's parent, or of the root to sign, is its ID; with one the
// Reference points at it, without one at the whole document.

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.DigestMethod;
import javax.xml.crypto.dsig.Transform;
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
import org.w3c.dom.NodeList;

public class XmlSignatures {
    static final String SHA256 = "http://www.w3.org/2001/04/xmldsig-more#";
    static final XMLSignatureFactory FACTORY = XMLSignatureFactory.getInstance("DOM");

    public static void main(String[] told) throws Exception {
        if (told[0].equals("sign"))
            for (int i = 3; i < told.length; i++) sign(told[1], told[2].toCharArray(), told[i]);
        else
            for (int i = 2; i < told.length; i++) verify(told[1], told[i]);
    }

    static void verify(String certificate, String file) throws Exception {
        var key = CertificateFactory.getInstance("X.509")
            .generateCertificate(new FileInputStream(certificate)).getPublicKey();
        NodeList found = parsed(file).getElementsByTagNameNS(XMLSignature.XMLNS, "Signature");
        for (int i = 0; i < found.getLength(); i++) {
            var context = new DOMValidateContext(key, found.item(i));
            Element parent = (Element) found.item(i).getParentNode();
            if (parent.hasAttribute("Id")) context.setIdAttributeNS(parent, null, "Id");
            boolean valid = FACTORY.unmarshalXMLSignature(context).validate(context);
            System.out.println(file + (valid ? " valid" : " invalid"));
        }
    }

    static void sign(String signer, char[] password, String file) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(new FileInputStream(signer), password);
        String alias = store.aliases().nextElement();
        X509Certificate certificate = (X509Certificate) store.getCertificate(alias);
        PrivateKey key = (PrivateKey) store.getKey(alias, password);

        Document document = parsed(file);
        Element root = document.getDocumentElement();
        var context = new DOMSignContext(key, root);
        if (root.hasAttribute("Id")) context.setIdAttributeNS(root, null, "Id");
        var reference = FACTORY.newReference(
            root.hasAttribute("Id") ? "#" + root.getAttribute("Id") : "",
            FACTORY.newDigestMethod(DigestMethod.SHA256, null),
            List.of(
                FACTORY.newTransform(Transform.ENVELOPED, (TransformParameterSpec) null),
                FACTORY.newTransform(CanonicalizationMethod.EXCLUSIVE, (TransformParameterSpec) null)),
            null, null);
        var signed = FACTORY.newSignedInfo(
            FACTORY.newCanonicalizationMethod(
                CanonicalizationMethod.EXCLUSIVE, (C14NMethodParameterSpec) null),
            FACTORY.newSignatureMethod(
                SHA256 + (key.getAlgorithm().equals("RSA") ? "rsa-sha256" : "ecdsa-sha256"), null),
            List.of(reference));
        KeyInfoFactory info = FACTORY.getKeyInfoFactory();
        var named = info.newKeyInfo(List.of(info.newX509Data(List.of(certificate))));
        FACTORY.newXMLSignature(signed, named).sign(context);
        TransformerFactory.newInstance().newTransformer()
            .transform(new DOMSource(document), new StreamResult(new FileOutputStream(file + ".signed")));
    }

    static Document parsed(String file) throws Exception {
        var factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        return factory.newDocumentBuilder().parse(new FileInputStream(file));
    }
}
